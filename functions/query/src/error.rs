//! Why a question has no answer.

use bytes::Bytes;
use clickstream_lake::LakeError;
use clickstream_objects::ObjectError;
use clickstream_store::StoreError;
use clickstream_warehouse::WarehouseError;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// A question that is answered with a problem (RFC 9457).
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Nothing is at the path.
    #[error("nothing is at {0}; docs/api lists the paths")]
    NotFound(String),
    /// The id was never seen.
    #[error("no event {0} was ever seen")]
    UnknownEvent(String),
    /// A parameter is missing or wrong.
    #[error("{name} is wrong: {right}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What would be right.
        right: String,
    },
    /// A part cannot be asked now.
    #[error("{0}")]
    Unavailable(String),
}

impl QueryError {
    /// The answer.
    pub fn response(&self) -> Response<Bytes> {
        let (status, code) = match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::UnknownEvent(_) => (StatusCode::NOT_FOUND, "event_unknown"),
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "parameter_wrong"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "part_unavailable"),
        };
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("error"),
            "status": status.as_u16(),
            "code": code,
            "detail": self.to_string(),
        });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<WarehouseError> for QueryError {
    fn from(error: WarehouseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ObjectError> for QueryError {
    fn from(error: ObjectError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<LakeError> for QueryError {
    fn from(error: LakeError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
