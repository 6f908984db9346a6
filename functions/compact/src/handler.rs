//! The work: unbroken runs of raw objects, minus what the lake has, as one commit after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_columns::raw_prefix;
use clickstream_erasure::Tombstones;
use clickstream_lake::{Lake, LakeError, Snapshot, Watermarks, place};
use clickstream_objects::SharedObjects;
use clickstream_telemetry::metric;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use crate::{
    CompactError, CompactOptions,
    accepted::unbroken_past_accepted,
    counted::Counted,
    known::Known,
    loading::{Loading, parts, weight},
    plan::{RawObject, Run},
    rows::Rows,
    sorted::Sorted,
};

/// Compressed bytes of one commit's raw objects, at most; its file is about as large.
const FILE_BYTES: u64 = 256 << 20;
/// A row takes this much memory at least, so that no more objects are planned than may fit.
const ROW_BYTES: u64 = 100;
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
    /// Rows of erased people, left out.
    #[serde(default)]
    pub erased: u64,
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
    tombstones: Arc<Tombstones>,
    options: CompactOptions,
}

/// What the next commit takes.
struct Plan {
    /// Partitions in the order in which they are taken.
    runs: Vec<(u32, Run)>,
    gaps: Vec<Gap>,
}

impl Compact {
    /// Appends raw objects of the log `log_id` in `objects` to `lake`.
    pub fn new(objects: SharedObjects, lake: Arc<Lake>, log_id: String) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { objects, lake, log_id, known: Known::default(), tombstones, options: CompactOptions::default() }
    }

    /// Asks `tombstones` whose events are erased; by default those of the bucket with the bucket's own key.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }

    /// Uses what `options` say.
    #[must_use]
    pub fn with_options(self, options: CompactOptions) -> Self {
        Self { options, ..self }
    }

    /// Commits until nothing is new. Killed anywhere, the next run does the same again, and no row twice.
    pub async fn run(&self, request: CompactRequest) -> Result<CompactReport, CompactError> {
        self.run_within(request, LONGEST).await
    }

    /// The same, and no further commit is begun after `longest`.
    pub async fn run_within(&self, request: CompactRequest, longest: Duration) -> Result<CompactReport, CompactError> {
        let began = Instant::now();
        let mut report = CompactReport::default();
        let mut lost = 0;
        // The partition that the next commit begins with: one that the last had no room for.
        let mut begin = 0;
        loop {
            let snapshot = self.lake.snapshot().await?;
            report.version = snapshot.version;
            report.watermarks.clone_from(&snapshot.watermarks);
            let mut plan = self.plan(&snapshot, request.partitions.as_deref()).await?;
            plan.runs.sort_by_key(|(partition, _)| (*partition < begin, *partition));
            report.gaps = plan.gaps;
            if plan.runs.is_empty() {
                return Ok(report);
            }
            if began.elapsed() > longest {
                report.more = true;
                return Ok(report);
            }
            match self.append(&snapshot, &plan.runs, &mut report).await {
                Ok(cut) => (lost, begin) = (0, cut.unwrap_or(0)),
                // Another came first: look at what came in, and compute again.
                Err(CompactError::Lake(LakeError::Lost(version) | LakeError::Gone { version, .. })) => {
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
        let most = self.options.memory / ROW_BYTES / (partitions.len() as u64).max(1);
        let mut plan = Plan { runs: Vec::new(), gaps: Vec::new() };
        for partition in partitions {
            let watermark = snapshot.watermarks.get(&place(&self.log_id, partition)).copied().unwrap_or(0);
            let prefix = raw_prefix(&self.log_id, partition);
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
                plan.runs.push((partition, run));
            }
        }
        Ok(plan)
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

    /// Appends the runs as one commit, as much of them as memory allows. Answers the partition in which it ran out.
    async fn append(&self, snapshot: &Snapshot, runs: &[(u32, Run)], report: &mut CompactReport) -> Result<Option<u32>, CompactError> {
        let (mut advanced, mut counted) = (Watermarks::new(), Counted::new(&self.log_id));
        let (mut rows, cut) = self.gather(snapshot, runs, &mut advanced, &mut counted).await?;
        // Asked after the lake's version was read: whoever erases writes tombstones first and then a version of the lake, so
        // either they are found here, or this commit loses and is computed anew, or the rows stand in the lake before they
        // are erased there.
        let erased = self.tombstones.fresh().await?;
        let decide = move || {
            rows.forget(&erased)?;
            let taken = rows.standing();
            rows.deduplicate();
            Ok((rows, taken))
        };
        let (mut rows, taken) = self.on_a_thread(decide).await?;
        counted.taken(taken);
        self.known.leave_out(&mut rows, &self.lake, &snapshot.files).await?;
        counted.kept(rows.standing());
        let (duplicates, dead_letters, erased) = (rows.duplicates, rows.dead_letters, rows.erased);
        let sorted = self.on_a_thread(move || Ok(rows.sorted())).await?;
        let count = sorted.len() as u64;
        let mut files = Vec::new();
        let mut hashes = Vec::new();
        if count > 0 {
            let (original_at, occurred_at) = sorted.ranges();
            let threads = self.options.threads;
            let encode = move || Ok((sorted.encode(threads)?, Sorted::into_hashes(sorted)));
            let (bytes, of_rows) = self.on_a_thread(encode).await?;
            hashes = of_rows;
            files.push(self.lake.write_file(bytes, count, original_at, occurred_at).await?);
        }
        report.version = self.lake.commit_counted(snapshot, &files, &advanced, &counted.counts()).await?;
        if let Some(new) = files.first() {
            self.known.remember(&new.file.path, hashes);
        }
        report.commits += 1;
        report.rows += count;
        report.duplicates += duplicates;
        report.dead_letters += dead_letters;
        report.erased += erased;
        metrics::counter!(metric::COMPACTED_ROWS).increment(count);
        metrics::counter!(metric::DUPLICATE_ROWS).increment(duplicates);
        Ok(cut)
    }

    /// Reads raw objects until memory ends, one at least; `advanced` says how far each partition came.
    async fn gather(
        &self,
        snapshot: &Snapshot,
        runs: &[(u32, Run)],
        advanced: &mut Watermarks,
        counted: &mut Counted<'_>,
    ) -> Result<(Rows, Option<u32>), CompactError> {
        let watermark = |partition| snapshot.watermarks.get(&place(&self.log_id, partition)).copied().unwrap_or(0);
        let objects: Vec<Loading> = runs
            .iter()
            .flat_map(|(partition, run)| run.objects.iter().map(|object| (*partition, object.clone())))
            .map(|(partition, object)| Loading { partition, object, watermark: watermark(partition) })
            .collect();
        let threads = self.options.threads;
        let mut parts = std::pin::pin!(parts(Arc::clone(&self.objects), objects, self.known.state().clone(), threads));
        let mut rows = Rows::default();
        let (mut memory, mut bytes) = (0, 0);
        while let Some((loading, part)) = parts.try_next().await? {
            memory += weight(&part.file, threads);
            bytes += part.file.size();
            if rows.files() > 0 && (memory > self.options.memory || bytes > FILE_BYTES) {
                return Ok((rows, Some(loading.partition)));
            }
            let (partition, next, dead_letters) = (loading.partition, loading.object.last + 1, rows.dead_letters);
            rows.take(part, loading.watermark);
            let missing = runs.iter().find(|(of, _)| *of == partition).map_or(0, |(_, run)| run.missing);
            counted.offsets(partition, next - loading.watermark, missing);
            counted.dead_letters(partition, rows.dead_letters - dead_letters);
            advanced.insert(place(&self.log_id, partition), next);
        }
        Ok((rows, None))
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CompactError> + Send + 'static,
    ) -> Result<T, CompactError> {
        tokio::task::spawn_blocking(work).await.map_err(|e| LakeError::Unavailable(e.to_string()))?
    }
}
