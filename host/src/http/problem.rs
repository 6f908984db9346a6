//! Refusals of the host's own.

use axum::{body::Body, response::Response};
use http::StatusCode;

/// An answer of `status` whose `code` programs read and whose `detail` says what is wrong and what would be right.
pub fn problem(status: StatusCode, code: &str, detail: impl AsRef<str>) -> Response {
    clickstream_problem::answer(status, code, detail.as_ref()).map(Body::from)
}
