//! What reconcile asks of ClickHouse, as narrow ports: tests put a model in its place.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_warehouse::{Commit, Day, Fingerprint, LedgerHour, LedgerRow, Repaired, Shadow, Warehouse, WarehouseError};
use uuid::Uuid;

type Asked<T> = Result<T, WarehouseError>;

/// What is compared with the lake, and where the ledger is kept. [`Warehouse`] says what each does.
#[async_trait]
#[expect(missing_docs, reason = "each stands in Warehouse under the same name")]
pub trait ReconcileWith: Send + Sync + 'static {
    fn database(&self) -> &str;
    async fn newest_commit(&self) -> Asked<Option<Commit>>;
    async fn settled_rows(&self) -> Asked<u64>;
    async fn settled_by_place(&self) -> Asked<BTreeMap<String, u64>>;
    async fn shown_by_place(&self) -> Asked<BTreeMap<String, u64>>;
    async fn versions_without_marts(&self) -> Asked<Vec<(u64, Uuid)>>;
    async fn closed_before(&self) -> Asked<Option<Day>>;
    async fn fresh_offsets(&self, log_id: &str, partition: u32, from: u64, to: u64) -> Asked<u64>;
    async fn not_loaded(&self, events: &[(String, Uuid)]) -> Asked<Vec<(String, Uuid)>>;
    async fn insert_raw(&self, parquet: Bytes) -> Asked<u64>;
    async fn write_ledger(&self, rows: &[LedgerRow]) -> Asked<()>;
    async fn ledger_hours(&self, hours: u32) -> Asked<Vec<LedgerHour>>;
    async fn note_repair(&self, kind: &str, what: &str, count: u64) -> Asked<()>;
    async fn repairs(&self, most: u32) -> Asked<Vec<Repaired>>;
    async fn restoring(&self) -> Asked<bool>;
    async fn restore_tables(&self) -> Asked<()>;
    async fn rebuild_all_marts(&self) -> Asked<()>;
    async fn shadow(&self, version: u64) -> Asked<Box<dyn RestoreInto>>;
}

/// Where settled rows are restored, out of sight until they are exchanged. [`Shadow`] says what each does.
#[async_trait]
#[expect(missing_docs, reason = "each stands in Shadow under the same name")]
pub trait RestoreInto: Send + Sync {
    fn is_counted(&self) -> bool;
    async fn insert(&self, parquet: Bytes) -> Asked<()>;
    async fn fingerprint(&self) -> Asked<Fingerprint>;
    async fn exchange(&self, commit: Option<&Commit>) -> Asked<()>;
    async fn end(self: Box<Self>) -> Asked<()>;
}

#[async_trait]
impl ReconcileWith for Warehouse {
    fn database(&self) -> &str {
        Self::database(self)
    }

    async fn newest_commit(&self) -> Asked<Option<Commit>> {
        Self::newest_commit(self).await
    }

    async fn settled_rows(&self) -> Asked<u64> {
        Self::settled_rows(self).await
    }

    async fn settled_by_place(&self) -> Asked<BTreeMap<String, u64>> {
        Self::settled_by_place(self).await
    }

    async fn shown_by_place(&self) -> Asked<BTreeMap<String, u64>> {
        Self::shown_by_place(self).await
    }

    async fn versions_without_marts(&self) -> Asked<Vec<(u64, Uuid)>> {
        Self::versions_without_marts(self).await
    }

    async fn closed_before(&self) -> Asked<Option<Day>> {
        Self::closed_before(self).await
    }

    async fn fresh_offsets(&self, log_id: &str, partition: u32, from: u64, to: u64) -> Asked<u64> {
        Self::fresh_offsets(self, log_id, partition, from, to).await
    }

    async fn not_loaded(&self, events: &[(String, Uuid)]) -> Asked<Vec<(String, Uuid)>> {
        Self::not_loaded(self, events).await
    }

    async fn insert_raw(&self, parquet: Bytes) -> Asked<u64> {
        Self::insert_raw(self, parquet).await
    }

    async fn write_ledger(&self, rows: &[LedgerRow]) -> Asked<()> {
        Self::write_ledger(self, rows).await
    }

    async fn ledger_hours(&self, hours: u32) -> Asked<Vec<LedgerHour>> {
        Self::ledger_hours(self, hours).await
    }

    async fn note_repair(&self, kind: &str, what: &str, count: u64) -> Asked<()> {
        Self::note_repair(self, kind, what, count).await
    }

    async fn repairs(&self, most: u32) -> Asked<Vec<Repaired>> {
        Self::repairs(self, most).await
    }

    async fn restoring(&self) -> Asked<bool> {
        Self::restoring(self).await
    }

    async fn restore_tables(&self) -> Asked<()> {
        Self::restore_tables(self).await
    }

    async fn rebuild_all_marts(&self) -> Asked<()> {
        Self::rebuild_all_marts(self).await
    }

    async fn shadow(&self, version: u64) -> Asked<Box<dyn RestoreInto>> {
        Ok(Box::new(Self::shadow(self, version).await?))
    }
}

#[async_trait]
impl RestoreInto for Shadow {
    fn is_counted(&self) -> bool {
        Self::is_counted(self)
    }

    async fn insert(&self, parquet: Bytes) -> Asked<()> {
        Self::insert(self, parquet).await
    }

    async fn fingerprint(&self) -> Asked<Fingerprint> {
        Self::fingerprint(self).await
    }

    async fn exchange(&self, commit: Option<&Commit>) -> Asked<()> {
        Self::exchange(self, commit).await
    }

    async fn end(self: Box<Self>) -> Asked<()> {
        Self::end(*self).await
    }
}
