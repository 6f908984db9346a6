//! What each step does. Each may be done again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clickstream_erasure::{Person, Tombstone};
use clickstream_event::Micros;
use clickstream_warehouse::PersonColumn;
use tokio::time::{Instant, sleep};

use crate::{Erase, EraseError, Erasure, Step, persons::stored, rejected::which};

/// Pause between two looks at what is settled.
const PAUSE: Duration = Duration::from_millis(500);

impl Erase {
    pub(crate) async fn do_step(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        match erasure.step {
            Step::Persons => self.find_persons(erasure).await,
            Step::Tombstones => self.bury(erasure).await,
            Step::Store => self.erase_store(erasure).await,
            Step::Files => self.erase_files(erasure).await,
            Step::Spill => self.erase_spill(erasure).await,
            Step::Raw => self.erase_raw(erasure, None).await,
            Step::Lake => self.erase_lake(erasure).await,
            Step::Settle => self.settle(erasure).await,
            Step::Warehouse => self.erase_warehouse(erasure).await,
            Step::Vacuum => self.vacuum(erasure).await,
            Step::Again => self.again(erasure).await,
            Step::Versions => self.erase_versions(erasure).await,
            Step::Receipt => self.write_receipt(erasure).await,
            Step::Done => Ok(()),
        }
    }

    /// The ids are fixed here, before a tombstone keeps the event that links them from being stored.
    async fn find_persons(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        self.wait_for_store().await?;
        let Some(asked) = erasure.persons.first().cloned() else { return Ok(()) };
        erasure.persons = self.ids_of(&erasure.site_id, asked).await?;
        let key = self.tombstones.key().await?;
        let tombstone = |person: &Person| Tombstone {
            site_id: erasure.site_id.clone(),
            kind: person.kind(),
            hash: key.hash(&erasure.site_id, person),
            erased_at: erasure.erased_at,
        };
        erasure.tombstones = erasure.persons.iter().map(tombstone).collect();
        Ok(())
    }

    async fn bury(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        self.tombstones.bury(&erasure.tombstones).await?;
        erasure.buried_at = Some(Micros::now());
        erasure.lake_version = self.empty_version().await?;
        Ok(())
    }

    async fn erase_store(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        for person in erasure.persons.clone() {
            erasure.removed.stored_events += self.store.erase(&erasure.site_id, &stored(&person), erasure.erased_at).await?;
        }
        let which = which(erasure, self.erased(erasure).await?);
        erasure.removed.rejections += self.store.erase_rejections(&erasure.site_id, which).await?;
        Ok(())
    }

    /// ClickHouse takes the lake's version over: its events go, and the marts of their days are computed anew.
    async fn settle(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let until = Instant::now() + self.timing.settled_within;
        loop {
            let why = match &self.settles {
                Some(settles) => settles.settle().await.err(),
                None => Some("it is settled by the clock".to_owned()),
            };
            let settled = self.warehouse.newest_commit().await?.map(|commit| commit.version);
            if settled.is_some_and(|settled| settled >= erasure.lake_version) {
                erasure.settled_at = Some(Micros::now());
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(EraseError::Unsettled { version: erasure.lake_version, why: why.unwrap_or_default() });
            }
            sleep(PAUSE).await;
        }
    }

    /// What is fresh, and loads that were never committed.
    async fn erase_warehouse(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let mut ids = BTreeSet::new();
        for person in &erasure.persons {
            let column = match person {
                Person::User(_) => PersonColumn::User,
                Person::Anonymous(_) => PersonColumn::Anonymous,
            };
            ids.extend(self.warehouse.events_of(&erasure.site_id, column, person.id(), erasure.erased_at).await?);
        }
        let events: Vec<_> = ids.into_iter().map(|id| (erasure.site_id.clone(), id)).collect();
        self.warehouse.erase(&events).await?;
        erasure.removed.warehouse_events += events.len() as u64;
        Ok(())
    }

    /// What was under way when the tombstones came: batches in hand, requests, files that were being taken; and what
    /// began on a version of the lake that still had the rows: merges, loads of versions that others settled meanwhile.
    async fn again(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let buried_at = erasure.buried_at.unwrap_or(erasure.erased_at);
        let due = erasure.settled_at.unwrap_or(buried_at).max(buried_at).plus(self.timing.again_after.as_micros() as i64);
        sleep(Duration::from_micros(u64::try_from(due.0 - Micros::now().0).unwrap_or(0))).await;
        self.erase_store(erasure).await?;
        self.erase_files(erasure).await?;
        self.erase_spill(erasure).await?;
        // Clocks of servers differ.
        self.erase_raw(erasure, Some(buried_at.plus(-10 * 60 * Micros::SECOND))).await?;
        self.erase_warehouse(erasure).await?;
        self.vacuum(erasure).await
    }

    /// By when topics have forgotten what they hold: records of the person are at most as old as this moment.
    pub(crate) fn ends(&self, _: &Erasure) -> BTreeMap<String, String> {
        let day = |days: u32| Micros::now().plus(i64::from(days + 1) * Micros::DAY).to_string().get(..10).unwrap_or_default().to_owned();
        let (events, rejected) = self.timing.topic_days;
        [("topic events", events), ("topic inbound", events), ("topic rejected", rejected)]
            .map(|(name, days)| (name.to_owned(), day(days)))
            .into()
    }
}
