//! Requests to the parts below, measured where their ports are: once a call, however many records it carries.

use std::{future::Future, time::Instant};

use crate::{
    metric,
    trace::{Origin, Span},
};

/// Makes the request `operation` to `client` (log, store, objects, warehouse), counted and timed, and a span of its own
/// within a span. An error for which `is_failure` is false, such as that nothing is there, is an answer like any other.
pub async fn called<T, E>(
    client: &'static str,
    operation: &'static str,
    is_failure: impl FnOnce(&E) -> bool,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let began = Instant::now();
    let span = Span::begin(|| format!("{client} {operation}").into(), Origin::Within);
    let answer = Span::around(span.as_ref(), call).await;
    let is_ok = match &answer {
        Ok(_) => true,
        Err(error) => !is_failure(error),
    };
    if let Some(span) = span {
        span.end(is_ok);
    }
    let outcome = if is_ok { "ok" } else { "failed" };
    metrics::counter!(metric::CLIENT_REQUESTS, "client" => client, "operation" => operation, "outcome" => outcome).increment(1);
    metrics::histogram!(metric::CLIENT_SECONDS, "client" => client, "operation" => operation).record(began.elapsed().as_secs_f64());
    answer
}
