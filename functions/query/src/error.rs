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
    /// Another method than GET.
    #[error("questions are asked by GET, not by {0}")]
    Method(String),
    /// No admin token, or a wrong one.
    #[error("send the admin token as Authorization: Bearer TOKEN")]
    Token,
    /// A page of another origin.
    #[error("pages of {0} may not read here")]
    Origin(String),
    /// A stream was asked of a Lambda.
    #[error("the live stream needs a connection that stays open: a Lambda has none, ask the host")]
    NoStream,
    /// A part cannot be asked now; the same question may be asked later.
    #[error("{0}")]
    Unavailable(String),
    /// A part answers what makes no sense; an operator must look.
    #[error("{0}")]
    Broken(String),
}

impl QueryError {
    /// The answer.
    pub fn response(&self) -> Response<Bytes> {
        let (status, code) = match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::UnknownEvent(_) => (StatusCode::NOT_FOUND, "event_unknown"),
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "parameter_wrong"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Token => (StatusCode::UNAUTHORIZED, "token_missing"),
            Self::Origin(_) => (StatusCode::FORBIDDEN, "origin_refused"),
            Self::NoStream => (StatusCode::NOT_IMPLEMENTED, "stream_not_served"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "part_unavailable"),
            Self::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "part_broken"),
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
        let more = match self {
            Self::Unavailable(_) => Some((header::RETRY_AFTER, "2")),
            Self::Method(_) => Some((header::ALLOW, "GET, HEAD")),
            Self::Token => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Full => Self::Unavailable(error.to_string()),
            StoreError::Corrupt(_) | StoreError::Setting(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<WarehouseError> for QueryError {
    fn from(error: WarehouseError) -> Self {
        match error {
            WarehouseError::Unavailable(_) => Self::Unavailable(error.to_string()),
            WarehouseError::Refused { .. } | WarehouseError::Operator(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<ObjectError> for QueryError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Unavailable(_) | ObjectError::Full => Self::Unavailable(error.to_string()),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<LakeError> for QueryError {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Unavailable(_) => Self::Unavailable(error.to_string()),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for QueryError {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(format!("the answer cannot be written as JSON: {error}"))
    }
}
