//! Every refusal over HTTP is a problem (RFC 9457): one shape for all functions and the host.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The content type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request was refused (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem<'a> {
    /// What is wrong, for programs; docs/api lists the codes, which never change their meaning.
    #[schema(example = "body_wrong_shape")]
    pub code: &'a str,
    /// What is wrong and what would be right, for a person.
    #[schema(example = "the body has no array \"batch\" of events")]
    pub detail: &'a str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    pub title: &'a str,
    /// `about:blank`: the status says what kind of problem it is.
    #[schema(example = "about:blank")]
    pub r#type: &'a str,
}

/// The answer of `status` whose `code` programs read and whose `detail` says what is wrong and what would be right.
pub fn answer(status: StatusCode, code: &str, detail: &str) -> Response<Bytes> {
    let title = status.canonical_reason().unwrap_or("error");
    let problem = Problem { code, detail, status: status.as_u16(), title, r#type: "about:blank" };
    // Texts and a number are always JSON.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}
