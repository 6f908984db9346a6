//! The work: what is missing is looked for and mended step by step, then the ledger is computed and kept.

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_lake::Lake;
use clickstream_log::SharedLog;
use clickstream_objects::SharedObjects;
use clickstream_store::SharedStore;
use clickstream_telemetry::metric;
use tokio::sync::Mutex;

use crate::{
    Lag, ReconcileError, ReconcileReport, ReconcileRequest, ReconcileWith, Repair, Settings, ledger::balanced, repair::repair, shown::Shown,
};

/// What is compared.
pub struct Sources {
    /// The log.
    pub log: SharedLog,
    /// The bucket.
    pub objects: SharedObjects,
    /// The lake.
    pub lake: Arc<Lake>,
    /// ClickHouse.
    pub warehouse: Box<dyn ReconcileWith>,
    /// The event store.
    pub store: SharedStore,
    /// The log's identity.
    pub log_id: String,
    /// Whose events are erased.
    pub tombstones: Arc<Tombstones>,
}

impl Sources {
    /// What is compared. Whose events are erased say the bucket's tombstones, with the bucket's own key.
    pub fn new(
        log: SharedLog,
        objects: SharedObjects,
        lake: Arc<Lake>,
        warehouse: impl ReconcileWith,
        store: SharedStore,
        log_id: String,
    ) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { log, objects, lake, warehouse: Box::new(warehouse), store, log_id, tombstones }
    }

    /// Asks `tombstones` whose events are erased.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }
}

/// Compares every store with every other, and mends.
pub struct Reconcile {
    pub(crate) sources: Sources,
    pub(crate) settings: Settings,
    /// One at a time in a process; several are safe but waste work.
    pub(crate) one: Mutex<()>,
    /// The ledger as metrics.
    shown: Shown,
}

impl Reconcile {
    /// Compares `sources` by `settings`.
    pub fn new(sources: Sources, settings: Settings) -> Self {
        Self { sources, settings, one: Mutex::new(()), shown: Shown::default() }
    }

    /// Looks at everything once. Doing it twice, or two at once, changes nothing more. What cannot be done now is named in
    /// the report, and does not keep the rest.
    pub async fn run(&self, request: ReconcileRequest) -> Result<ReconcileReport, ReconcileError> {
        let _one = self.one.lock().await;
        let dry_run = request.dry_run;
        let mut report = ReconcileReport { dry_run, ..ReconcileReport::default() };
        report.repairs = self.restore_tables(dry_run).await?;
        if let Some(gap) = &request.accept_gap {
            let (_, open) = self.rows(&self.known().await?).await?;
            let (partition, from, to) = self.accept(gap, &open, dry_run).await?;
            let what = format!("partition {partition} offsets {from}-{to}");
            report.repairs.push(repair("accepted_gap", what, to - from, dry_run));
        }
        let restored = self.restore_what_differs(dry_run).await;
        note(&mut report, "the rows of ClickHouse", restored);

        let known = self.known().await?;
        let (_, gaps) = self.rows(&known).await?;
        let refilled = self.refill(&gaps, dry_run).await;
        note(&mut report, "gaps in raw/", refilled);
        let loaded = self.load_what_was_missed(&known, self.settings.grace, dry_run).await;
        note(&mut report, "raw objects that nobody announced", loaded);
        let stored = self.replay_into_store(&known, dry_run).await;
        note(&mut report, "the event store", stored);
        match self.lags().await {
            Ok(groups) => {
                groups.iter().for_each(Lag::alarm);
                report.groups = groups;
            }
            Err(error) => failed(&mut report, "consumer groups", &error.into()),
        }
        self.keep(&mut report).await?;
        Ok(report)
    }

    /// Shows no ledger any more (NaN): another host computes it from now on, and what was seen here grows old.
    pub fn withdraw(&self) {
        self.shown.withdraw();
    }

    /// Computes the ledger as it is now, shows it as metrics, and, but for a dry run, keeps it and the repairs.
    async fn keep(&self, report: &mut ReconcileReport) -> Result<(), ReconcileError> {
        let warehouse = &self.sources.warehouse;
        let (partitions, gaps) = self.rows(&self.known().await?).await?;
        self.shown.show(&partitions, &gaps, &self.sources.log_id);
        for gap in gaps.iter().filter(|gap| !gap.accepted && !gap.in_log) {
            tracing::error!(
                partition = gap.log_partition,
                from = gap.from,
                to = gap.to,
                "records are lost: neither raw/ nor the log holds them; compaction waits until `clickstream reconcile --accept-gap` says so"
            );
        }
        for row in partitions.iter().filter(|row| row.unaccounted != 0) {
            tracing::error!(
                topic = row.topic,
                log_id = row.log_id,
                partition = row.log_partition,
                records = row.unaccounted,
                "records that the ledger cannot account for"
            );
        }
        if !report.dry_run {
            warehouse.write_ledger(&partitions).await?;
            for Repair { kind, what, count, .. } in &report.repairs {
                tracing::warn!(kind, what, count, "repaired");
                metrics::counter!(metric::REPAIRS, "kind" => kind.clone()).increment(1);
                warehouse.note_repair(kind, what, *count).await?;
            }
        }
        report.spilled_objects = self.spilled().await?;
        report.balanced = balanced(&partitions, &gaps);
        (report.partitions, report.gaps) = (partitions, gaps);
        Ok(())
    }
}

fn note(report: &mut ReconcileReport, what: &str, outcome: Result<Vec<Repair>, ReconcileError>) {
    match outcome {
        Ok(repairs) => report.repairs.extend(repairs),
        Err(error) => failed(report, what, &error),
    }
}

fn failed(report: &mut ReconcileReport, what: &str, error: &ReconcileError) {
    tracing::error!(what, %error, "cannot be reconciled now; the next run tries again");
    report.failed.push(format!("{what}: {error}"));
}
