//! Days that leave the lake, and with it ClickHouse: `LAKE_DAYS`.
//!
//! Files with rows on both sides of the first day that stays are split first, in versions that change no row; then one
//! version removes every file of the days before. So no version holds half a day, and whoever is killed in between has
//! changed nothing that anybody sees.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use clickstream_event::Micros;
use clickstream_lake::{Expiry, LakeError, LakeFile, RowsByPlace, Snapshot, begin_of};
use jiff::civil::Date;

use super::split::split;
use crate::{Applied, Retention, RetentionError};

/// Tries of one version against other writers.
const TRIES: u32 = 50;
/// Files split by one version.
const SPLIT_AT_ONCE: usize = 4;
/// No further version is begun after this long; a function has 15 minutes.
const LONGEST: Duration = Duration::from_mins(10);

/// What is known of files, which never change.
#[derive(Default)]
struct Looked {
    /// Rows that count, by partition.
    rows: HashMap<String, RowsByPlace>,
    /// Files whose greatest moment was looked at: whether it is at or past the bound.
    reaches: HashMap<String, bool>,
}

/// Files with rows of days that go.
#[derive(Default)]
struct Aged {
    /// Those with no other rows.
    old: Vec<LakeFile>,
    /// Those with rows of days that stay too.
    mixed: Vec<LakeFile>,
}

impl Retention {
    pub(crate) async fn lake(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let days = self.settings.lake_days;
        let Some((before, kept)) = days.first_kept(self.now()).zip(days.days()) else {
            return Ok(vec![Applied::new("lake", "for ever", "rows")]);
        };
        let (mut applied, began) = (Applied::of_days("lake", kept, "rows"), Instant::now());
        if let Some(waits) = self.waits_for_settle().await? {
            return Ok(vec![applied.noting(waits)]);
        }
        let (lake, bound) = (&self.stores.lake, begin_of(before));
        let (mut looked, mut lost) = (Looked::default(), 0);
        loop {
            let base = lake.snapshot().await?;
            let Aged { old, mixed } = self.aged(&base, bound, &mut looked).await?;
            if old.is_empty() && mixed.is_empty() {
                return Ok(vec![applied]);
            }
            if dry_run {
                applied.add(self.rows_before(&old, &mixed, bound).await?);
                return Ok(vec![applied]);
            }
            if began.elapsed() > LONGEST {
                applied.more = true;
                return Ok(vec![applied]);
            }
            let outcome = if mixed.is_empty() {
                self.expire(&base, before, old, &mut looked).await
            } else {
                let some = mixed.into_iter().take(SPLIT_AT_ONCE).collect();
                split(lake, &base, some, bound).await.map(|()| 0)
            };
            match outcome {
                Ok(rows) => {
                    lost = 0;
                    applied.add(rows);
                }
                // Another came first, or took files: look at what stands now.
                Err(RetentionError::Lake(LakeError::Lost(_) | LakeError::Gone { .. })) if lost < TRIES => lost += 1,
                Err(RetentionError::Lake(LakeError::Lost(_) | LakeError::Gone { .. })) => return Err(RetentionError::Crowded(TRIES)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Commits a version without `old`; says how many rows they had.
    async fn expire(&self, base: &Snapshot, before: Date, old: Vec<LakeFile>, looked: &mut Looked) -> Result<u64, RetentionError> {
        let rows = self.rows_of(base, &old, looked).await?;
        let expiry = Expiry { before, removed: old, rows };
        let version = self.stores.lake.expire(base, &expiry).await?;
        let rows = expiry.removed.iter().map(|file| file.rows).sum();
        tracing::info!(version, %before, files = expiry.removed.len(), rows, "days left the lake");
        Ok(rows)
    }

    /// What is waited for, if a version waits longer to be settled than is usual: marts of its days are still to be built.
    async fn waits_for_settle(&self) -> Result<Option<String>, RetentionError> {
        let settled = self.stores.warehouse.newest_commit().await?.map(|commit| commit.version);
        let next = settled.map_or(0, |version| version + 1);
        if next > self.stores.lake.snapshot().await?.version {
            return Ok(None);
        }
        let waits = self.stores.lake.committed_at(next).await?.is_some_and(|at| {
            let longest = self.settings.settled_within.as_micros() as i64;
            self.now().0 - at.0 >= longest
        });
        Ok(waits.then(|| format!("lake version {next} waits to be settled for too long: nothing leaves before it is")))
    }

    /// The files of a snapshot with rows before `bound`. Statistics are of milliseconds, rounded outwards: only where the
    /// greatest is the bound itself the file has to be looked at.
    async fn aged(&self, base: &Snapshot, bound: Micros, looked: &mut Looked) -> Result<Aged, LakeError> {
        let mut aged = Aged::default();
        for file in base.files.iter().filter(|file| file.occurred_at_min < bound) {
            let reaches = match file.occurred_at_max.cmp(&bound) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => self.reaches(file, bound, looked).await?,
            };
            if reaches { &mut aged.mixed } else { &mut aged.old }.push(file.clone());
        }
        Ok(aged)
    }

    /// Whether a file has rows at `bound` or later, by its rows.
    async fn reaches(&self, file: &LakeFile, bound: Micros, looked: &mut Looked) -> Result<bool, LakeError> {
        if let Some(known) = looked.reaches.get(&file.path) {
            return Ok(*known);
        }
        let reaches = self.stores.lake.rows_before(file, bound).await? < file.rows;
        looked.reaches.insert(file.path.clone(), reaches);
        Ok(reaches)
    }

    /// Rows of files by partition, as the ledger counts them.
    async fn rows_of(&self, base: &Snapshot, files: &[LakeFile], looked: &mut Looked) -> Result<RowsByPlace, LakeError> {
        let counts = self.stores.lake.counts(base.version).await?;
        let mut sum: RowsByPlace = BTreeMap::new();
        for file in files {
            if !looked.rows.contains_key(&file.path) {
                let rows = self.stores.lake.counted_rows(file, &counts).await?;
                looked.rows.insert(file.path.clone(), rows);
            }
            for (place, rows) in looked.rows.get(&file.path).into_iter().flatten() {
                *sum.entry(place.clone()).or_default() += rows;
            }
        }
        Ok(sum)
    }

    /// Rows that would go.
    async fn rows_before(&self, old: &[LakeFile], mixed: &[LakeFile], bound: Micros) -> Result<u64, LakeError> {
        let mut rows = old.iter().map(|file| file.rows).sum();
        for file in mixed {
            rows += self.stores.lake.rows_before(file, bound).await?;
        }
        Ok(rows)
    }
}

/// True if every file still stands.
pub(super) fn all_stand(files: &[LakeFile], snapshot: &Snapshot) -> bool {
    let standing: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
    files.iter().all(|file| standing.contains(file.path.as_str()))
}
