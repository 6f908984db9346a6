//! Days of the lake computed anew: what is derived of each event, by the rules of this version.
//!
//! A day is that of `original_at`, by which the lake's files are laid out. Each is one version of the lake, in which the
//! day's rows stand in place of those that stood: the same events, checked by their ids before the commit, each at its
//! place in the log and at its time. A day of which nothing changes is left alone, so that a second run does nothing.
//! Killed anywhere, a run leaves files that no version knows, and the next one does the same again.
//!
//! An event is derived from its raw copy where there still is one: raw/ holds it as it was admitted, whatever replays made
//! of it since. Where the raw object has expired, the lake's own row takes its place.

mod changes;
mod file;
mod identities;
mod raw_copies;
mod recompute;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_columns::{LakePart, TimedFile, write_lake_part};
use clickstream_erasure::{Erased, Tombstones};
use clickstream_event::{Micros, Sites};
use clickstream_lake::{Lake, LakeError, LakeFile, NewFile, Replay, Snapshot, day_of, moments_of};
use clickstream_objects::SharedObjects;
use clickstream_telemetry::metric;
use clickstream_warehouse::Day;

use crate::{ReplayError, ReplayRequest};

pub use report::{ChangedField, DayReport};

/// Tries of one day against other writers.
const TRIES: u32 = 10;
/// A run begins no further day after this long; a function has 15 minutes.
const LONGEST: Duration = Duration::from_mins(10);
/// Memory where nothing is said, bytes.
const MEMORY: u64 = 256 << 20;
/// Days of one request, at most.
const MOST_DAYS: i32 = 3_660;

/// Computes days of one lake anew.
pub struct Days {
    objects: SharedObjects,
    lake: Arc<Lake>,
    sites: Sites,
    tombstones: Arc<Tombstones>,
    memory: u64,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaysReport {
    /// Days on which the lake has rows, in order.
    pub days: Vec<DayReport>,
    /// The day to go on with, where time ran out.
    pub next_day: Option<Day>,
}

/// How a day is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Until something changes.
    Look,
    /// To the end, and nothing is written.
    Count,
    /// To the end; files are written.
    Write,
}

/// By what rows are computed.
struct Rules {
    request: ReplayRequest,
    sites: Sites,
    erased: Arc<Erased>,
    /// The first moment of the day, and of the one after, µs.
    moments: (i64, i64),
}

impl Rules {
    fn holds(&self, time: i64) -> bool {
        (self.moments.0..self.moments.1).contains(&time)
    }
}

/// What was gathered of a day.
struct Gathered {
    report: DayReport,
    /// Days on which the rows happened, since 1970.
    happened_on: BTreeSet<i64>,
    erased: BTreeMap<String, u64>,
    /// Files that were gone through.
    seen: HashSet<String>,
    removed: Vec<LakeFile>,
    added: Vec<NewFile>,
    moved: Vec<NewFile>,
    /// Rows of other days, not yet written.
    rest: Vec<LakePart>,
}

impl Gathered {
    fn of(day: Day) -> Self {
        Self {
            report: DayReport { day, ..DayReport::default() },
            happened_on: BTreeSet::new(),
            erased: BTreeMap::new(),
            seen: HashSet::new(),
            removed: Vec::new(),
            added: Vec::new(),
            moved: Vec::new(),
            rest: Vec::new(),
        }
    }

    fn changes(&self) -> bool {
        self.report.changed > 0 || self.report.erased > 0
    }

    fn replay(&self) -> Replay {
        Replay {
            day: self.report.day,
            removed: self.removed.clone(),
            added: self.added.clone(),
            moved: self.moved.clone(),
            happened_on: self.happened_on.iter().filter_map(|day| day_of(Micros(day * Micros::DAY))).collect(),
            erased: self.erased.clone(),
        }
    }
}

impl Days {
    /// Computes days of `lake` by the rules of `sites`; raw copies stand in `objects`.
    pub fn new(objects: SharedObjects, lake: Arc<Lake>, sites: Sites) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { objects, lake, sites, tombstones, memory: MEMORY }
    }

    /// Asks `tombstones` whose events are erased; by default those of the bucket with the bucket's own key.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }

    /// Takes about so many bytes: a file of the lake, what is made of it, and some of its rows.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        Self { memory: bytes, ..self }
    }

    /// Computes the days `from..=to` anew, or says what would change.
    pub async fn run(&self, request: &ReplayRequest, from: Day, to: Day) -> Result<DaysReport, ReplayError> {
        let days = from.until(to).map_err(|_| ReplayError::Days { from, to })?.get_days();
        if !(0..MOST_DAYS).contains(&days) {
            return Err(ReplayError::Days { from, to });
        }
        let (began, mut report, mut day) = (Instant::now(), DaysReport::default(), from);
        loop {
            if began.elapsed() > LONGEST {
                report.next_day = Some(day);
                return Ok(report);
            }
            let done = self.day(request, day).await?;
            if done.files > 0 {
                report.days.push(done);
            }
            match day.tomorrow() {
                Ok(next) if day < to => day = next,
                _ => return Ok(report),
            }
        }
    }

    async fn day(&self, request: &ReplayRequest, day: Day) -> Result<DayReport, ReplayError> {
        for _ in 0..TRIES {
            match self.attempt(request, day).await {
                Err(ReplayError::Lake(LakeError::Lost(version) | LakeError::Gone { version, .. })) => {
                    tracing::info!(%day, version, "another writer came first; the day is computed again");
                }
                outcome => return outcome,
            }
        }
        Err(ReplayError::Crowded { day, tries: TRIES })
    }

    /// Computes a day on the lake as it stands, and commits it. [`LakeError::Lost`] where that has to be done again.
    async fn attempt(&self, request: &ReplayRequest, day: Day) -> Result<DayReport, ReplayError> {
        let snapshot = self.lake.snapshot().await?;
        // After the snapshot: whoever erases writes a tombstone first and then a version of the lake.
        let erased = self.tombstones.fresh().await?;
        let (from, to) = moments_of(day);
        let rules =
            Arc::new(Rules { request: request.clone(), sites: self.sites.clone(), erased: Arc::clone(&erased), moments: (from.0, to.0) });
        let mut looked = Gathered::of(day);
        self.gather(&snapshot, &rules, if request.dry_run { Pass::Count } else { Pass::Look }, &mut looked).await?;
        if request.dry_run || !looked.changes() {
            return Ok(looked.report);
        }
        let mut work = Gathered::of(day);
        self.gather(&snapshot, &rules, Pass::Write, &mut work).await?;
        self.commit(snapshot, &rules, work).await
    }

    /// Commits at the version after the snapshot. Where another came first, what is computed still holds as long as its
    /// files stand and nobody was erased since; rows that came to the day are computed too.
    async fn commit(&self, mut snapshot: Snapshot, rules: &Arc<Rules>, mut work: Gathered) -> Result<DayReport, ReplayError> {
        for _ in 0..TRIES {
            match self.lake.replay(&snapshot, &work.replay()).await {
                Ok(version) => {
                    let mut report = work.report;
                    report.version = Some(version);
                    metrics::counter!(metric::REPLAYED, "source" => "days", "outcome" => "taken").increment(report.changed);
                    tracing::info!(day = %report.day, version, rows = report.rows, changed = report.changed, "a day was computed anew");
                    return Ok(report);
                }
                Err(LakeError::Lost(_)) => snapshot = self.lake.snapshot().await?,
                Err(error) => return Err(error.into()),
            }
            let standing: HashSet<&str> = snapshot.files.iter().map(|file| file.path.as_str()).collect();
            let stand = work.removed.iter().all(|file| standing.contains(file.path.as_str()));
            if !stand || !Arc::ptr_eq(&rules.erased, &self.tombstones.fresh().await?) {
                return Err(LakeError::Lost(snapshot.version).into());
            }
            self.gather(&snapshot, rules, Pass::Write, &mut work).await?;
        }
        Err(LakeError::Lost(snapshot.version).into())
    }

    /// Goes through the snapshot's files that may hold rows of the day and were not gone through yet.
    async fn gather(&self, snapshot: &Snapshot, rules: &Arc<Rules>, pass: Pass, work: &mut Gathered) -> Result<(), ReplayError> {
        let (from, to) = rules.moments;
        for file in snapshot.files.iter().filter(|file| file.original_at_min.0 < to && file.original_at_max.0 >= from) {
            if !work.seen.insert(file.path.clone()) {
                continue;
            }
            self.file(file, rules, pass, work).await?;
            if pass == Pass::Look && work.changes() {
                return Ok(());
            }
            if work.rest.iter().map(|part| part.bytes.len() as u64).sum::<u64>() > self.memory / 8 {
                self.write_rest(work).await?;
            }
        }
        self.write_rest(work).await
    }

    /// Writes the rows of other days as one file.
    async fn write_rest(&self, work: &mut Gathered) -> Result<(), ReplayError> {
        let parts = std::mem::take(&mut work.rest);
        if !parts.is_empty() {
            let whole = joined(parts).await?;
            work.moved.push(self.write(whole).await?);
        }
        Ok(())
    }

    async fn write(&self, part: LakePart) -> Result<NewFile, ReplayError> {
        Ok(self.lake.write_file(part.bytes, part.rows, part.original_at, part.occurred_at).await?)
    }
}

/// Several parts as one, each in order.
async fn joined(mut parts: Vec<LakePart>) -> Result<LakePart, ReplayError> {
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => {
            parts.extend(last);
            on_a_thread(move || {
                let files = parts.into_iter().map(|part| TimedFile::read(part.bytes)).collect::<Result<Vec<_>, _>>()?;
                Ok(write_lake_part(&files, |_| true)?)
            })
            .await
        }
    }
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, ReplayError> + Send + 'static) -> Result<T, ReplayError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| LakeError::Unavailable(e.to_string()))?
}
