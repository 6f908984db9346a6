//! A span's context in headers and metadata.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::{
    Context, global,
    trace::{SpanContext, TraceContextExt as _},
};

use super::is_on;

/// The names that a context stands under (W3C).
const NAMES: [&str; 2] = ["traceparent", "tracestate"];

/// True if a context stands under `name`.
pub(super) fn is_known(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Names and values that carry the span that runs now to whoever goes on with its work; none where it is not traced.
pub fn carried() -> BTreeMap<String, String> {
    if !is_on() {
        return BTreeMap::new();
    }
    let context = Context::current();
    if !context.span().span_context().is_sampled() {
        return BTreeMap::new();
    }
    let mut carrier = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.retain(|name: &String, value: &mut String| is_known(name) && !value.is_empty());
    carrier.into_iter().collect()
}

/// The context that a carrier names; none if it names none, or one that makes no sense.
pub(super) fn context_in<'a>(carrier: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<SpanContext> {
    let mut texts = HashMap::new();
    for (name, value) in carrier {
        if is_known(name)
            && let Ok(value) = std::str::from_utf8(value)
        {
            texts.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    if texts.is_empty() {
        return None;
    }
    let context = global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &texts));
    let context = context.span().span_context().clone();
    context.is_valid().then_some(context)
}
