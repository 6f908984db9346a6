//! Traces: one request followed over the log and through the functions, as OpenTelemetry has it.
//!
//! A span's context (<https://www.w3.org/TR/trace-context/>) goes on in headers of records and in metadata of raw objects.
//! Whoever exports spans switches this on ([`switch_on`]); until then each call here costs a look at a flag. Attributes
//! are names, counts and places: nothing of an event, no address, no key.

mod carrier;
mod origin;

use std::{
    borrow::Cow,
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Context, global,
    trace::{SpanBuilder, Status, TraceContextExt as _},
};

pub use carrier::carried;
pub use opentelemetry::KeyValue;
pub use origin::Origin;

/// Who makes the spans.
const SCOPE: &str = "clickstream";

static ON: AtomicBool = AtomicBool::new(false);

/// Takes traces from now on. To be called when OpenTelemetry's global provider and propagator are set.
pub fn switch_on() {
    ON.store(true, Ordering::Relaxed);
}

/// True while traces are taken.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A span that has begun. It ends with [`Span::end`], or when it is dropped, as cancelled work is.
pub struct Span(Context);

impl Span {
    /// Begins a span; none while traces are off, or where `origin` has nothing that is traced.
    pub fn begin(name: impl FnOnce() -> Cow<'static, str>, origin: Origin) -> Option<Self> {
        if !is_on() {
            return None;
        }
        let begun = origin.begun()?;
        let builder = SpanBuilder::from_name(name()).with_kind(begun.kind).with_attributes(begun.attributes).with_links(begun.links);
        let span = builder.start_with_context(&global::tracer(SCOPE), &begun.parent);
        Some(Self(begun.parent.with_span(span)))
    }

    /// Does `work` within the span, if there is one: what it begins meanwhile is below it.
    pub async fn around<T>(span: Option<&Self>, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|task| {
            let _within = span.map(|span| span.0.clone().attach());
            work.as_mut().poll(task)
        })
        .await
    }

    /// Says more of the span.
    pub fn set(&self, attribute: KeyValue) {
        self.0.span().set_attribute(attribute);
    }

    /// Ends the span. What failed is in the logs, and not in the span: an error may name whom it concerns.
    pub fn end(self, is_ok: bool) {
        if !is_ok {
            self.0.span().set_status(Status::error("failed; the log says why"));
        }
        self.0.span().end();
    }
}

/// Goes on with a trace whose context stands beside an object ([`carried`]), if it is traced.
pub async fn continued<'a, T, E>(
    name: &'static str,
    carrier: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let span = Span::begin(|| name.into(), Origin::carried_by([carrier], Vec::new()));
    let done = Span::around(span.as_ref(), work).await;
    if let Some(span) = span {
        span.end(done.is_ok());
    }
    done
}

/// Has `work`, which runs on another thread, run within the span that runs now.
pub fn inherited<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let here = is_on().then(Context::current);
    move || {
        let _within = here.map(Context::attach);
        work()
    }
}

#[cfg(test)]
mod tests;
