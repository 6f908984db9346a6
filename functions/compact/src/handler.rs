//! The work: unbroken runs of raw objects, minus what the lake has, as one commit after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_columns::{read_parquet, write_lake_file};
use clickstream_lake::{Lake, LakeError, Snapshot, Watermarks, place};
use clickstream_objects::SharedObjects;
use clickstream_telemetry::metric;
use serde::{Deserialize, Serialize};

use crate::{
    CompactError,
    accepted::unbroken_past_accepted,
    counted::Counted,
    known::Known,
    plan::{RawObject, Run},
    rows::Rows,
};

/// Rows of one commit, about: what bounds the memory of a run (some 1.5 kB a row at the peak).
const ROWS_PER_COMMIT: u64 = 50_000;
/// Objects listed of a partition at a time.
const LISTED: usize = 1_000;
/// Tries of one commit against other writers.
const TRIES: u32 = 10;
/// A run begins no further commit after this long; a function has 15 minutes.
const LONGEST: Duration = Duration::from_mins(10);

/// What to compact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompactRequest {
    /// Only these partitions; all of them if none are given.
    pub partitions: Option<Vec<u32>>,
}

/// Offsets that are missing while later ones are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The partition.
    pub partition: u32,
    /// The first offset that is missing.
    pub at: u64,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactReport {
    /// The lake's version afterwards.
    pub version: u64,
    /// Commits made.
    pub commits: u32,
    /// Rows appended.
    pub rows: u64,
    /// Repeats left out.
    pub duplicates: u64,
    /// Records that are no event, left out.
    pub dead_letters: u64,
    /// Next offset per partition, keyed `{log_id}/{partition}`.
    pub watermarks: BTreeMap<String, u64>,
    /// Offsets that hold compaction up.
    pub gaps: Vec<Gap>,
    /// True if time ran out before everything was compacted: run it again.
    pub more: bool,
}

/// Appends the raw objects of one log to the lake.
pub struct Compact {
    objects: SharedObjects,
    lake: Arc<Lake>,
    log_id: String,
    known: Known,
}

/// What the next commit takes.
struct Plan {
    runs: BTreeMap<u32, Run>,
    gaps: Vec<Gap>,
}

impl Compact {
    /// Appends raw objects of the log `log_id` in `objects` to `lake`.
    pub fn new(objects: SharedObjects, lake: Arc<Lake>, log_id: String) -> Self {
        Self { objects, lake, log_id, known: Known::default() }
    }

    /// Commits until nothing is new. Killed anywhere, the next run does the same again, and no row twice.
    pub async fn run(&self, request: CompactRequest) -> Result<CompactReport, CompactError> {
        let began = Instant::now();
        let mut report = CompactReport::default();
        let mut lost = 0;
        loop {
            let snapshot = self.lake.snapshot().await?;
            report.version = snapshot.version;
            report.watermarks.clone_from(&snapshot.watermarks);
            let plan = self.plan(&snapshot, request.partitions.as_deref()).await?;
            report.gaps = plan.gaps;
            if plan.runs.is_empty() {
                return Ok(report);
            }
            if began.elapsed() > LONGEST {
                report.more = true;
                return Ok(report);
            }
            match self.append(&snapshot, &plan.runs, &mut report).await {
                Ok(()) => lost = 0,
                // Another came first: look at what came in, and compute again.
                Err(CompactError::Lake(LakeError::Lost(version))) => {
                    lost += 1;
                    tracing::info!(version, "another compaction committed first");
                    if lost >= TRIES {
                        return Err(CompactError::Crowded(lost));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn plan(&self, snapshot: &Snapshot, only: Option<&[u32]>) -> Result<Plan, CompactError> {
        let partitions = match only {
            Some(partitions) => partitions.iter().copied().collect(),
            None => self.partitions().await?,
        };
        let most = ROWS_PER_COMMIT / (partitions.len() as u64).max(1);
        let mut plan = Plan { runs: BTreeMap::new(), gaps: Vec::new() };
        for partition in partitions {
            let watermark = snapshot.watermarks.get(&place(&self.log_id, partition)).copied().unwrap_or(0);
            let prefix = self.prefix(partition);
            let after = format!("{prefix}{watermark:020}");
            let listed = self.objects.list(&prefix, Some(&after), LISTED).await?;
            let listed = listed.iter().filter_map(|o| RawObject::of(&o.key)).collect();
            let run = unbroken_past_accepted(&self.objects, (&self.log_id, partition), listed, watermark, most).await?;
            if run.objects.is_empty()
                && let Some(at) = run.gap_at
            {
                tracing::error!(partition, offset = at, "raw objects are missing; compaction waits for them");
                plan.gaps.push(Gap { partition, at });
            }
            if !run.objects.is_empty() {
                plan.runs.insert(partition, run);
            }
        }
        Ok(plan)
    }

    fn prefix(&self, partition: u32) -> String {
        format!("raw/events/{}/{partition:05}/", self.log_id)
    }

    /// Partitions that have raw objects, found by skipping from one to the next.
    async fn partitions(&self) -> Result<BTreeSet<u32>, CompactError> {
        let prefix = format!("raw/events/{}/", self.log_id);
        let mut found = BTreeSet::new();
        let mut after: Option<String> = None;
        while let Some(object) = self.objects.list(&prefix, after.as_deref(), 1).await?.pop() {
            let partition = object.key[prefix.len()..].split('/').next().and_then(|p| p.parse::<u32>().ok());
            let Some(partition) = partition else { break };
            found.insert(partition);
            // "~" comes after every digit, and so after every key of the partition.
            after = Some(format!("{prefix}{partition:05}/~"));
        }
        Ok(found)
    }

    async fn append(&self, snapshot: &Snapshot, runs: &BTreeMap<u32, Run>, report: &mut CompactReport) -> Result<(), CompactError> {
        let mut rows = Rows::default();
        let (mut advanced, mut counted) = (Watermarks::new(), Counted::new(&self.log_id));
        for (partition, run) in runs {
            let place = place(&self.log_id, *partition);
            let watermark = snapshot.watermarks.get(&place).copied().unwrap_or(0);
            let dead_letters = rows.dead_letters;
            for object in &run.objects {
                let (_, bytes) = self.objects.get(&object.key).await?;
                let raw = |cause| CompactError::Raw { key: object.key.clone(), cause };
                for batch in read_parquet(bytes).map_err(raw)? {
                    rows.take(&batch, watermark).map_err(raw)?;
                }
            }
            counted.offsets(*partition, run.next - watermark, run.missing);
            counted.dead_letters(*partition, rows.dead_letters - dead_letters);
            advanced.insert(place, run.next);
        }
        counted.taken(rows.rows().iter().map(|row| row.partition.cast_unsigned()));
        rows.deduplicate();
        let known = self.known.among(rows.rows(), &self.lake, &snapshot.files).await?;
        rows.leave_out(&known);
        counted.kept(rows.rows().iter().map(|row| row.partition.cast_unsigned()));
        let (duplicates, dead_letters, count) = (rows.duplicates, rows.dead_letters, rows.rows().len() as u64);
        let mut files = Vec::new();
        let mut written = Vec::new();
        if count > 0 {
            let (original_at, occurred_at) = (rows.range(|r| r.original_at), rows.range(|r| r.occurred_at));
            written = rows.rows().to_vec();
            let encoded = tokio::task::spawn_blocking(move || write_lake_file(rows.sorted()));
            let bytes = encoded.await.map_err(|e| LakeError::Unavailable(e.to_string()))??;
            files.push(self.lake.write_file(bytes, count, original_at, occurred_at).await?);
        }
        report.version = self.lake.commit_counted(snapshot, &files, &advanced, &counted.counts()).await?;
        if let Some(new) = files.first() {
            self.known.wrote(&new.file.path, &written);
        }
        report.commits += 1;
        report.rows += count;
        report.duplicates += duplicates;
        report.dead_letters += dead_letters;
        metrics::counter!(metric::COMPACTED_ROWS).increment(count);
        metrics::counter!(metric::DUPLICATE_ROWS).increment(duplicates);
        Ok(())
    }
}
