//! Refusals of the host's own.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};

/// An answer of `status` whose `code` programs read and whose `detail` says what is wrong and what would be right.
pub fn problem(status: StatusCode, code: &str, detail: impl AsRef<str>) -> Response {
    clickstream_problem::answer(status, code, detail.as_ref()).map(Body::from)
}

/// The refusal of a method where `methods` are answered.
pub fn not_allowed(methods: &'static str, detail: &str) -> Response {
    let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    answer
}
