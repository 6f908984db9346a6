//! ClickHouse's HTTP interface, as far as its official client uses it.
//!
//! Source: <https://clickhouse.com/docs/interfaces/http>.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request as HttpRequest, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use subtle::ConstantTimeEq;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    engine::{Engine, Reply},
    request::{Refusal, Request},
};
use crate::error::exception_code;

/// The longest statement, bytes; data of an INSERT is not part of it.
const STATEMENT_BYTES: usize = 16 << 20;

/// What the server needs to answer.
pub struct Service {
    /// Runs the statements.
    pub engine: Engine,
    /// The one user's name.
    pub user: String,
    /// Their password.
    pub password: String,
}

/// The routes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new().route("/ping", get(|| async { "Ok.\n" })).fallback(answer).with_state(service)
}

async fn answer(State(service): State<Arc<Service>>, request: HttpRequest) -> Response {
    match service.answer(request).await {
        Ok(response) => response,
        Err(refusal) => refused(&refusal),
    }
}

impl Service {
    async fn answer(&self, request: HttpRequest) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        self.authenticate(&parts.headers)?;
        let mut asked = Request::parse(parts.uri.query().unwrap_or_default(), &parts.headers)?;
        let (sender, data) = mpsc::channel(4);
        if asked.is_insert() {
            tokio::spawn(forward(body, sender));
        } else {
            let body = to_bytes(body, STATEMENT_BYTES).await.map_err(|e| {
                Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, 62, "SYNTAX_ERROR", &format!("The statement is not to be read: {e}"))
            })?;
            let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
            if content_type.starts_with("multipart/form-data") {
                asked.take_form(content_type, &body)?;
            } else {
                let text = std::str::from_utf8(&body)
                    .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, 62, "SYNTAX_ERROR", "The statement is not UTF-8"))?;
                asked.statement.push_str(text);
            }
        }
        if asked.statement.trim().is_empty() {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, 62, "SYNTAX_ERROR", "Empty query"));
        }
        let format = asked.format.clone();
        self.engine.run(asked, data).await.map(|reply| answered(reply, format.as_deref()))
    }

    /// Takes `X-ClickHouse-User` and `-Key`, or Basic credentials.
    fn authenticate(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let value = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let basic = value("authorization").and_then(|v| v.strip_prefix("Basic "));
        let given = match (value("x-clickhouse-key"), basic) {
            (Some(key), _) => format!("{}:{key}", value("x-clickhouse-user").unwrap_or("default")),
            (None, Some(basic)) => decode_base64(basic.trim()).unwrap_or_default(),
            (None, None) => String::new(),
        };
        let wanted = format!("{}:{}", self.user, self.password);
        if bool::from(given.as_bytes().ct_eq(wanted.as_bytes())) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            516,
            "AUTHENTICATION_FAILED",
            "Authentication failed: password is incorrect, or there is no user with such name",
        ))
    }
}

/// Hands a body on piece by piece; a slow insert slows its sender.
async fn forward(body: Body, data: mpsc::Sender<Bytes>) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        if data.send(piece).await.is_err() {
            break;
        }
    }
}

fn answered(reply: Reply, format: Option<&str>) -> Response {
    let summary = format!(r#"{{"read_rows":"{}","written_rows":"{}"}}"#, reply.head.read, reply.head.written);
    // An error in the middle breaks the connection off: half an answer must not look like a whole one.
    let body = Body::from_stream(ReceiverStream::new(reply.body).map(|piece| piece.map_err(std::io::Error::other)));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert("x-clickhouse-server-display-name", HeaderValue::from_static("in-process"));
    if let Ok(value) = HeaderValue::from_str(&summary) {
        headers.insert("x-clickhouse-summary", value);
    }
    if let Some(value) = format.and_then(|f| HeaderValue::from_str(f).ok()) {
        headers.insert("x-clickhouse-format", value);
    }
    response
}

fn refused(refusal: &Refusal) -> Response {
    let mut response = (refusal.status, refusal.text.clone()).into_response();
    if let Some(code) = exception_code(&refusal.text) {
        response.headers_mut().insert("x-clickhouse-exception-code", HeaderValue::from(code));
    }
    response
}

/// Standard base64 of Basic credentials.
fn decode_base64(text: &str) -> Option<String> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok().and_then(|b| String::from_utf8(b).ok())
}
