//! The work: one rule after the other.

use std::sync::Arc;

use clickstream_event::Micros;
use clickstream_telemetry::metric;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use crate::{Applied, RetentionError, RetentionReport, RetentionRequest, RetentionSettings, Stores};

/// Tells the time.
type Clock = Arc<dyn Fn() -> Micros + Send + Sync>;

/// Applies every rule.
pub struct Retention {
    pub(crate) stores: Stores,
    pub(crate) settings: RetentionSettings,
    clock: Clock,
    /// One at a time in a process; several are safe but waste work.
    one: Mutex<()>,
}

impl Retention {
    /// Keeps what is in `stores` as `settings` say.
    pub fn new(stores: Stores, settings: RetentionSettings) -> Self {
        Self { stores, settings, clock: Arc::new(Micros::now), one: Mutex::new(()) }
    }

    /// Takes the time from `clock`: a test lets days pass.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Micros + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Applies every rule once, or says what would go. What cannot be done now is named in the report, and does not keep the
    /// rest.
    pub fn run(&self, request: RetentionRequest) -> BoxFuture<'_, RetentionReport> {
        Box::pin(self.apply(request))
    }

    async fn apply(&self, request: RetentionRequest) -> RetentionReport {
        let _one = self.one.lock().await;
        let dry_run = request.dry_run;
        let mut report = RetentionReport { dry_run, ..RetentionReport::default() };
        report.note("topics", self.topics(dry_run).await);
        report.note("event store", self.events(dry_run).await);
        report.note("raw objects", self.raw(dry_run).await);
        report.note("lake", self.lake(dry_run).await);
        report.note("fresh rows", self.fresh(dry_run).await);
        report.note("abandoned loads", self.loads(dry_run).await);
        report.note("inbox", self.inbox(dry_run).await);
        report.note("quarantine", self.quarantine(dry_run).await);
        report.note("replays", self.replays(dry_run).await);
        report
    }

    /// The moment so many days ago.
    pub(crate) fn days_ago(&self, days: u32) -> Micros {
        self.now().plus(-i64::from(days) * Micros::DAY)
    }

    pub(crate) fn now(&self) -> Micros {
        (self.clock)()
    }
}

impl RetentionReport {
    fn note(&mut self, what: &str, outcome: Result<Vec<Applied>, RetentionError>) {
        match outcome {
            Ok(applied) => {
                if !self.dry_run {
                    applied.iter().for_each(count);
                }
                self.rules.extend(applied);
            }
            Err(error) => {
                tracing::error!(rule = what, %error, "a rule of retention cannot be applied; the next run does it");
                self.failed.push(format!("{what}: {error}"));
            }
        }
    }
}

fn count(applied: &Applied) {
    let removed = applied.removed.unwrap_or(0);
    metrics::counter!(metric::EXPIRED, "rule" => applied.rule.clone()).increment(removed);
    if removed > 0 {
        tracing::info!(rule = applied.rule, removed, unit = applied.unit, kept = applied.kept, "expired");
    }
}
