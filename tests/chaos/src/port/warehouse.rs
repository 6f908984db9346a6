//! ClickHouse by the ports of settle and load: what each statement does, and in how many statements. Those of
//! erase, replay and reconcile stand beside it.

use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_lake::ErasedRow;
use clickstream_load::LoadInto;
use clickstream_settle::SettleInto;
use clickstream_warehouse::{Commit, Day, WarehouseError};
use rand::RngExt as _;
use uuid::Uuid;

use super::tables::{DAY, Settled, State, Tables};
use crate::{
    columns::{self, RawRow},
    fault::{Boundary, Fault},
    life::{Life, Share},
};

/// ClickHouse as one process reaches it.
pub struct WarehousePort {
    pub(super) tables: Arc<Tables>,
    pub(super) life: Arc<Life>,
}

/// An insert may arrive in part (blocks are written one by one), again, or after its sender gave up.
pub(super) const INSERT: &[Fault] = &[Fault::NotDone, Fault::Unanswered, Fault::Part, Fault::Twice, Fault::Late];

fn unavailable() -> WarehouseError {
    WarehouseError::Unavailable("the seed says so".to_owned())
}

pub(super) fn refused(message: String) -> WarehouseError {
    WarehouseError::Refused { code: 0, message }
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> WarehouseError {
    WarehouseError::Operator(error.to_string())
}

impl WarehousePort {
    pub fn new(tables: &Arc<Tables>, life: &Arc<Life>) -> Self {
        Self { tables: Arc::clone(tables), life: Arc::clone(life) }
    }

    pub(super) async fn ask<T: Send>(&self, read: impl Fn(&State) -> T + Send + 'static) -> Result<T, WarehouseError> {
        let tables = Arc::clone(&self.tables);
        self.life.perform(Boundary::Query, &[Fault::NotDone], move |_| read(&tables.read())).await.map_err(|_| unavailable())
    }

    pub(super) async fn change(
        &self,
        boundary: Boundary,
        can: &'static [Fault],
        mut write: impl FnMut(MutexGuard<'_, State>, Share) + Send + 'static,
    ) -> Result<(), WarehouseError> {
        let tables = Arc::clone(&self.tables);
        self.life.perform(boundary, can, move |share| write(tables.write(), share)).await.map_err(|_| unavailable())
    }

    pub(super) async fn newest(&self) -> Result<Option<Commit>, WarehouseError> {
        self.ask(|state| state.newest().cloned()).await
    }

    /// A raw object's events into `fresh`; says how many they are.
    pub(super) async fn insert_fresh(&self, parquet: &Bytes) -> Result<u64, WarehouseError> {
        let rows = columns::rows(parquet).map_err(unreadable)?;
        let events: Vec<_> = rows.into_iter().filter_map(|row| if let RawRow::Event(row) = row { Some(row) } else { None }).collect();
        let count = events.len();
        self.change(Boundary::FreshInsert, INSERT, move |mut state, share| {
            let some = if share == Share::Whole { count } else { count / 2 };
            state.fresh.extend_from_slice(&events[..some]);
        })
        .await?;
        Ok(count as u64)
    }

    /// Events out of both tables, one statement each.
    pub(super) async fn erase_events(&self, events: &[(String, Uuid)]) -> Result<(), WarehouseError> {
        if events.is_empty() {
            return Ok(());
        }
        let gone: Arc<BTreeSet<_>> = Arc::new(events.iter().cloned().collect());
        let (of_events, can) = (Arc::clone(&gone), &[Fault::NotDone, Fault::Unanswered, Fault::Twice]);
        let deleted = move |mut state: MutexGuard<'_, State>, _| state.events.retain(|settled| !of_events.contains(&settled.row.identity));
        self.change(Boundary::AlterDelete, can, deleted).await?;
        self.change(Boundary::AlterDelete, can, move |mut state, _| state.fresh.retain(|row| !gone.contains(&row.identity))).await
    }

    pub(super) async fn is_restored(&self) -> Result<bool, WarehouseError> {
        self.ask(|state| state.restoring.is_some()).await
    }

    /// The rows of a load that came too late to count go.
    async fn drop_late_load(&self, load_id: Uuid) -> Result<(), WarehouseError> {
        let is_late = move |state: &State| state.rows_of_load(load_id) > 0 && state.commits.iter().all(|commit| commit.load_id != load_id);
        if !self.ask(is_late).await? {
            return Ok(());
        }
        let can = &[Fault::NotDone, Fault::Unanswered];
        self.change(Boundary::AlterDelete, can, move |mut state, _| state.events.retain(|settled| settled.load_id != load_id)).await
    }

    #[cfg(feature = "faults")]
    pub(super) fn broken(&self, switch: crate::Switch) -> bool {
        self.life.sim.broken(switch)
    }
}

#[async_trait]
impl LoadInto for WarehousePort {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        self.newest().await
    }

    async fn insert_raw(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        self.insert_fresh(&parquet).await
    }

    async fn erase_places(&self, log_id: &str, partition: u32, offsets: &[u64]) -> Result<(), WarehouseError> {
        let (log_id, offsets) = (log_id.to_owned(), offsets.to_vec());
        let can = &[Fault::NotDone, Fault::Unanswered];
        self.change(Boundary::AlterDelete, can, move |mut state, _| {
            state.fresh.retain(|row| row.log_id != log_id || row.partition != partition || !offsets.contains(&row.offset));
        })
        .await
    }
}

#[async_trait]
impl SettleInto for WarehousePort {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        self.newest().await
    }

    async fn insert_settled(&self, parquet: Bytes, load_id: Uuid, version: u64, token: &str) -> Result<(), WarehouseError> {
        let rows = columns::events(&parquet).map_err(unreadable)?;
        let begin = &[Fault::NotDone, Fault::Unanswered];
        self.change(Boundary::Query, begin, move |mut state, _| {
            state.loads.insert((load_id, version));
        })
        .await?;
        let (token, sim) = (format!("{load_id}/{token}"), Arc::clone(&self.life.sim));
        let settled: Vec<_> = rows.into_iter().map(|row| Settled { row, load_id }).collect();
        #[cfg(feature = "faults")]
        if self.broken(crate::Switch::ShowBeforeRows) {
            let (tables, rows) = (Arc::clone(&self.tables), settled.clone());
            *self.tables.read().promised.entry(load_id).or_default() += rows.len() as u64;
            self.life.sim.later(&self.life, false, move || tables.write().events.extend_from_slice(&rows));
            return Ok(());
        }
        #[cfg(feature = "faults")]
        let unchecked = self.broken(crate::Switch::InsertUnchecked);
        #[cfg(not(feature = "faults"))]
        let unchecked = false;
        self.change(Boundary::SettledInsert, INSERT, move |mut state, share| {
            // A token is remembered for a while, and not at all of an insert that was cut.
            let known = !state.tokens.insert(token.clone()) && sim.random(|r| r.random_bool(0.5));
            if !known || unchecked {
                let some = if share == Share::Whole { settled.len() } else { settled.len() / 2 };
                state.events.extend_from_slice(&settled[..some]);
            }
            if unchecked && sim.random(|r| r.random_bool(0.1)) {
                state.events.extend_from_slice(&settled);
            }
        })
        .await
    }

    async fn rows_of_load(&self, load_id: Uuid) -> Result<u64, WarehouseError> {
        #[cfg(feature = "faults")]
        if self.broken(crate::Switch::InsertUnchecked) {
            return self.ask(move |state| state.identities_of_load(load_id).len() as u64).await;
        }
        #[cfg(feature = "faults")]
        if self.broken(crate::Switch::ShowBeforeRows) {
            return self.ask(move |state| state.promised.get(&load_id).copied().unwrap_or(0)).await;
        }
        self.ask(move |state| state.rows_of_load(load_id)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), WarehouseError> {
        let newest = self.newest().await?.map(|c| c.version);
        match newest {
            Some(newest) if newest >= commit.version => return self.drop_late_load(commit.load_id).await,
            Some(newest) if newest + 1 == commit.version => {}
            None if commit.version <= 1 => {}
            _ => return Err(refused(format!("version {} comes out of order after {newest:?}", commit.version))),
        }
        let rows = self.rows_of_load(commit.load_id).await?;
        if rows != commit.rows {
            return Err(refused(format!("the load has {rows} rows, the lake {}", commit.rows)));
        }
        let row = commit.clone();
        let can = &[Fault::NotDone, Fault::Unanswered, Fault::Twice, Fault::Late];
        self.change(Boundary::CommitsRow, can, move |mut state, _| state.commits.push(row.clone())).await
    }

    async fn erase_settled(&self, rows: &[ErasedRow]) -> Result<(), WarehouseError> {
        let gone: Vec<_> = rows.iter().map(|row| (row.site_id.clone(), row.event_id)).collect();
        self.erase_events(&gone).await
    }

    async fn restoring(&self) -> Result<bool, WarehouseError> {
        self.is_restored().await
    }

    async fn versions_without_marts(&self) -> Result<Vec<(u64, Uuid)>, WarehouseError> {
        self.ask(State::without_marts).await
    }

    async fn days_of_load(&self, load_id: Uuid) -> Result<Vec<Day>, WarehouseError> {
        let days = self.ask(move |state| -> BTreeSet<i64> {
            state.events.iter().filter(|s| s.load_id == load_id).map(|s| s.row.occurred_at.div_euclid(DAY)).collect()
        });
        Ok(days.await?.into_iter().filter_map(day_of).collect())
    }

    async fn rebuild_marts(&self, days: &[Day]) -> Result<(), WarehouseError> {
        let days: Vec<i64> = days.iter().filter_map(|day| number_of(*day)).collect();
        let can = &[Fault::NotDone, Fault::Unanswered, Fault::Twice];
        self.change(Boundary::MartSwap, can, move |mut state, _| {
            for day in &days {
                let count = state.settled().filter(|row| row.occurred_at.div_euclid(DAY) == *day).count() as u64;
                state.marts.insert(*day, count);
            }
        })
        .await
    }

    async fn marts_rebuilt(&self, version: u64) -> Result<(), WarehouseError> {
        let can = &[Fault::NotDone, Fault::Unanswered, Fault::Late];
        self.change(Boundary::Query, can, move |mut state, _| state.rebuilt = state.rebuilt.max(Some(version))).await
    }
}

/// The day so many days after 1970-01-01.
fn day_of(number: i64) -> Option<Day> {
    clickstream_event::Micros(number * DAY).to_string().get(..10)?.parse().ok()
}

/// Days from 1970-01-01 to a day.
fn number_of(day: Day) -> Option<i64> {
    let midnight: clickstream_event::Micros = serde_json::from_value(format!("{day}T00:00:00Z").into()).ok()?;
    Some(midnight.0.div_euclid(DAY))
}
