//! Answers: whole, or a stream that goes on.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::QueryError;

/// What a request is answered with.
pub enum Answer {
    /// Everything at once.
    Whole(Response<Bytes>),
    /// Server-sent events.
    Stream(Response<BoxStream<'static, Result<Bytes, Infallible>>>),
}

impl Answer {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Whole(response) => response.status(),
            Self::Stream(response) => response.status(),
        }
    }
}

/// 200 with JSON.
pub fn json(value: &impl Serialize) -> Result<Answer, QueryError> {
    let body = serde_json::to_vec(value)?;
    Ok(typed(body, "application/json"))
}

/// 200 with a body of `kind`.
pub fn typed(body: Vec<u8>, kind: &'static str) -> Answer {
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answer::Whole(response)
}
