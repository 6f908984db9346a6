//! Functions, watched: how often, how long, how they end, and a span of each where it is traced.

use std::{
    future::Future,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    metric,
    trace::{Origin, Span},
};

/// A function, by the name that metrics and spans know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/ARCHITECTURE.md says what each does")]
pub enum Function {
    Collect,
    IntakeTopic,
    IntakeFiles,
    Store,
    Land,
    Load,
    Compact,
    Merge,
    Vacuum,
    Settle,
    Reconcile,
    Rebuild,
    Retention,
    Unspill,
    Replay,
    Erase,
    Query,
}

impl Function {
    /// Every function, in the order of an event's way.
    pub const ALL: [Self; 17] = [
        Self::Collect,
        Self::IntakeTopic,
        Self::IntakeFiles,
        Self::Store,
        Self::Land,
        Self::Load,
        Self::Compact,
        Self::Merge,
        Self::Vacuum,
        Self::Settle,
        Self::Reconcile,
        Self::Rebuild,
        Self::Retention,
        Self::Unspill,
        Self::Replay,
        Self::Erase,
        Self::Query,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::IntakeTopic => "intake-topic",
            Self::IntakeFiles => "intake-files",
            Self::Store => "store",
            Self::Land => "land",
            Self::Load => "load",
            Self::Compact => "compact",
            Self::Merge => "merge",
            Self::Vacuum => "vacuum",
            Self::Settle => "settle",
            Self::Reconcile => "reconcile",
            Self::Rebuild => "rebuild",
            Self::Retention => "retention",
            Self::Unspill => "unspill",
            Self::Replay => "replay",
            Self::Erase => "erase",
            Self::Query => "query",
        }
    }
}

/// Does one invocation of `function`; an error is a failed one.
pub fn watched<T, E>(function: Function, origin: Origin, work: impl Future<Output = Result<T, E>>) -> impl Future<Output = Result<T, E>> {
    watched_by(function, origin, Result::is_ok, work)
}

/// Does one invocation of `function`; `is_ok` says of what it gives whether it ended well.
pub fn watched_by<T>(
    function: Function,
    origin: Origin,
    is_ok: impl FnOnce(&T) -> bool,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    // Work is large, and would be in there twice.
    let work = Box::pin(work);
    async move {
        let begun = Begun { name: function.as_str(), at: Instant::now() };
        let span = Span::begin(|| function.as_str().into(), origin);
        let done = Span::around(span.as_ref(), work).await;
        let is_ok = is_ok(&done);
        if let Some(span) = span {
            span.end(is_ok);
        }
        begun.ended(is_ok);
        done
    }
}

/// An invocation under way. One that is given up counts as none, one that panics as failed.
struct Begun {
    name: &'static str,
    at: Instant,
}

impl Begun {
    fn ended(&self, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "failed" };
        metrics::counter!(metric::INVOCATIONS, "function" => self.name, "outcome" => outcome).increment(1);
        metrics::histogram!(metric::FUNCTION_SECONDS, "function" => self.name).record(self.at.elapsed().as_secs_f64());
        if is_ok {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            metrics::gauge!(metric::LAST_SUCCESS, "function" => self.name).set(since_1970.as_secs_f64());
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.ended(false);
        }
    }
}

/// Says that `function` is done by this host's clock, so that it is missed when it never ends well.
pub fn awaited(function: Function) {
    metrics::gauge!(metric::LAST_SUCCESS, "function" => function.as_str()).set(0.0);
}
