//! ClickHouse by the ports of reconcile: what it holds, and a table beside `events` that is exchanged for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{array::RecordBatch, compute::cast};
use async_trait::async_trait;
use bytes::Bytes;
use clickstream_columns::event_schema;
use clickstream_reconcile::{ReconcileWith, RestoreInto};
use clickstream_warehouse::{Commit, Day, Fingerprint, LedgerHour, LedgerRow, Repaired, WarehouseError, fingerprint};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use uuid::Uuid;

use super::{
    tables::{DAY, Settled, Tables},
    warehouse::{INSERT, WarehousePort, unreadable},
};
use crate::{
    columns::{self, Row},
    fault::{Boundary, Fault},
    life::{Life, Share},
};

fn by_place<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.place()).or_default() += 1;
    }
    counts
}

#[async_trait]
impl ReconcileWith for WarehousePort {
    fn database(&self) -> &'static str {
        "sim"
    }

    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        self.newest().await
    }

    async fn settled_rows(&self) -> Result<u64, WarehouseError> {
        self.ask(|state| state.settled().count() as u64).await
    }

    async fn settled_by_place(&self) -> Result<BTreeMap<String, u64>, WarehouseError> {
        #[cfg(feature = "faults")]
        if self.broken(crate::Switch::MiscountSettled) {
            return self.ask(|state| by_place(state.settled()).into_iter().map(|(place, rows)| (place, rows + 1)).collect()).await;
        }
        self.ask(|state| by_place(state.settled())).await
    }

    async fn shown_by_place(&self) -> Result<BTreeMap<String, u64>, WarehouseError> {
        self.ask(|state| by_place(state.shown())).await
    }

    async fn versions_without_marts(&self) -> Result<Vec<(u64, Uuid)>, WarehouseError> {
        self.ask(super::tables::State::without_marts).await
    }

    /// No day expires here.
    async fn closed_before(&self) -> Result<Option<Day>, WarehouseError> {
        Ok(None)
    }

    async fn fresh_offsets(&self, log_id: &str, partition: u32, from: u64, to: u64) -> Result<u64, WarehouseError> {
        let log_id = log_id.to_owned();
        self.ask(move |state| {
            let of_place = state.fresh.iter().filter(|row| row.log_id == log_id && row.partition == partition);
            of_place.map(|row| row.offset).filter(|offset| (from..to).contains(offset)).collect::<BTreeSet<_>>().len() as u64
        })
        .await
    }

    async fn not_loaded(&self, events: &[(String, Uuid)]) -> Result<Vec<(String, Uuid)>, WarehouseError> {
        let events = events.to_vec();
        self.ask(move |state| {
            let present: BTreeSet<_> = state.fresh.iter().chain(state.settled()).map(|row| &row.identity).collect();
            events.iter().filter(|event| !present.contains(event)).cloned().collect()
        })
        .await
    }

    async fn insert_raw(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        self.insert_fresh(&parquet).await
    }

    async fn write_ledger(&self, rows: &[LedgerRow]) -> Result<(), WarehouseError> {
        let (rows, can) = (rows.to_vec(), &[Fault::NotDone, Fault::Unanswered]);
        self.change(Boundary::LedgerRow, can, move |mut state, _| state.ledger.clone_from(&rows)).await
    }

    async fn ledger_hours(&self, _: u32) -> Result<Vec<LedgerHour>, WarehouseError> {
        self.ask(|_| Vec::new()).await
    }

    async fn note_repair(&self, kind: &str, _: &str, _: u64) -> Result<(), WarehouseError> {
        let (kind, can) = (kind.to_owned(), &[Fault::NotDone, Fault::Unanswered]);
        self.change(Boundary::LedgerRow, can, move |mut state, _| state.repairs.push(kind.clone())).await
    }

    async fn repairs(&self, _: u32) -> Result<Vec<Repaired>, WarehouseError> {
        self.ask(|_| Vec::new()).await
    }

    async fn restoring(&self) -> Result<bool, WarehouseError> {
        self.is_restored().await
    }

    async fn restore_tables(&self) -> Result<(), WarehouseError> {
        self.ask(|_| ()).await
    }

    async fn rebuild_all_marts(&self) -> Result<(), WarehouseError> {
        let can = &[Fault::NotDone, Fault::Unanswered, Fault::Twice];
        self.change(Boundary::MartSwap, can, |mut state, _| {
            let mut marts: BTreeMap<i64, u64> = BTreeMap::new();
            for row in state.settled() {
                *marts.entry(row.occurred_at.div_euclid(DAY)).or_default() += 1;
            }
            state.marts = marts;
        })
        .await
    }

    async fn shadow(&self, _: u64) -> Result<Box<dyn RestoreInto>, WarehouseError> {
        if self.is_restored().await? {
            return Err(WarehouseError::Unavailable("another restoration goes on".to_owned()));
        }
        let begun = self.ask(|state| {
            let counted = state.commits.iter().filter(|commit| commit.rows > 0);
            let first = counted.clone().map(|commit| commit.version).min();
            counted.filter(|commit| Some(commit.version) == first).map(|commit| commit.load_id).min()
        });
        let counted = begun.await?;
        let shadow = Shadow {
            run: self.tables.begin_restoration(),
            load_id: counted.unwrap_or_else(Uuid::now_v7),
            counted: counted.is_some(),
            tables: Arc::clone(&self.tables),
            life: Arc::clone(&self.life),
            held: Arc::default(),
        };
        Ok(Box::new(shadow))
    }
}

/// What the table beside `events` holds: as ClickHouse compares it, and as readers will see it.
#[derive(Default)]
struct Held {
    batches: Vec<RecordBatch>,
    rows: Vec<Row>,
}

/// A table beside `events`.
struct Shadow {
    tables: Arc<Tables>,
    life: Arc<Life>,
    run: u64,
    load_id: Uuid,
    counted: bool,
    held: Arc<Mutex<Held>>,
}

impl Drop for Shadow {
    fn drop(&mut self) {
        // Who died, or gave up, says no longer that it goes on.
        self.tables.end_restoration(self.run);
    }
}

impl Shadow {
    fn port(&self) -> WarehousePort {
        WarehousePort::new(&self.tables, &self.life)
    }
}

#[async_trait]
impl RestoreInto for Shadow {
    fn is_counted(&self) -> bool {
        self.counted
    }

    async fn insert(&self, parquet: Bytes) -> Result<(), WarehouseError> {
        let (rows, batches) = (columns::events(&parquet).map_err(unreadable)?, plain(parquet).map_err(unreadable)?);
        let held = Arc::clone(&self.held);
        let port = self.port();
        let inserted = port.change(Boundary::ShadowInsert, INSERT, move |_, share| {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            let some = if share == Share::Whole { rows.len() } else { rows.len() / 2 };
            held.rows.extend_from_slice(&rows[..some]);
            let mut left = some;
            for batch in &batches {
                let of_batch = left.min(batch.num_rows());
                held.batches.push(batch.slice(0, of_batch));
                left -= of_batch;
            }
        });
        inserted.await
    }

    async fn fingerprint(&self) -> Result<Fingerprint, WarehouseError> {
        let held = Arc::clone(&self.held);
        let port = self.port();
        let computed = port.ask(move |_| {
            let mut computed = Fingerprint::new();
            let held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.batches.iter().try_for_each(|batch| fingerprint::add(&mut computed, batch)).map(|()| computed)
        });
        computed.await?.map_err(unreadable)
    }

    async fn exchange(&self, commit: Option<&Commit>) -> Result<(), WarehouseError> {
        let (held, load_id, can) = (Arc::clone(&self.held), self.load_id, &[Fault::NotDone, Fault::Unanswered]);
        let port = self.port();
        let exchanged = port.change(Boundary::Exchange, can, move |mut state, _| {
            let rows = held.lock().unwrap_or_else(PoisonError::into_inner).rows.clone();
            state.events = rows.into_iter().map(|row| Settled { row, load_id }).collect();
            state.exchanged = true;
            state.damaged = false;
        });
        exchanged.await?;
        let Some(commit) = commit.map(|commit| Commit { load_id, ..commit.clone() }) else { return Ok(()) };
        port.change(Boundary::Exchange, can, move |mut state, _| state.commits = vec![commit.clone()]).await
    }

    async fn end(self: Box<Self>) -> Result<(), WarehouseError> {
        self.port().ask(|_| ()).await
    }
}

/// A lake file's rows in the columns' plain types.
fn plain(parquet: Bytes) -> anyhow::Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(parquet)?.build()? {
        let batch = batch?;
        let column = |field: &Arc<arrow::datatypes::Field>| {
            let column = batch.column_by_name(field.name()).ok_or_else(|| anyhow::anyhow!("no column {}", field.name()))?;
            Ok(cast(column, field.data_type())?)
        };
        let columns = event_schema().fields().iter().map(column).collect::<anyhow::Result<Vec<_>>>()?;
        batches.push(RecordBatch::try_new(event_schema(), columns)?);
    }
    Ok(batches)
}
