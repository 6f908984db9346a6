//! `/v1/erasures`: a person forgotten, how far that is, and the receipt; `/v1/users/{id}/export`: what is held of them.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use clickstream_erase::{EraseError, EraseRequest, Erasure, SignedReceipt, Step};
use clickstream_event::Micros;
use clickstream_telemetry::{Function, Origin, watched};
use http::{Method, Request, StatusCode, header, request::Parts};
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    App,
    app::body_within,
    guard,
    problem::{not_allowed, problem},
};

/// Largest body, bytes: an id, or a receipt with its keys.
const MOST: usize = 16 << 20;
/// Lines of an export that wait for a slow reader.
const AHEAD: usize = 256;

/// An erasure as it stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasureStatus {
    /// Its id.
    pub id: Uuid,
    /// The site.
    pub site: String,
    /// What was received or happened until then goes.
    pub erased_at: Micros,
    /// The step that is next; `done` when nothing is left.
    pub step: Step,
    /// Where this stands.
    pub status: String,
    /// What was removed where, once it is done.
    pub receipt: Option<SignedReceipt>,
}

/// Whether a receipt is as it was signed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Verified {
    /// True if nothing in it was changed.
    pub valid: bool,
}

impl ErasureStatus {
    fn of(erasure: &Erasure, receipt: Option<SignedReceipt>) -> Self {
        let Erasure { erasure_id: id, site_id: site, erased_at, step, .. } = erasure;
        let status = format!("/v1/erasures/{id}?site={site}");
        Self { id: *id, site: site.clone(), erased_at: *erased_at, step: *step, status, receipt }
    }
}

/// Answers everything under `/v1/erasures`.
pub async fn erasures(app: &App, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_end_matches('/').to_owned();
    let answer = match path.strip_prefix("/v1/erasures").unwrap_or_default() {
        "" if head.method == Method::POST => begin(app, &head, body).await,
        "" => return not_allowed("POST", "an erasure begins by POST; GET /v1/erasures/{id}?site= says how far one is"),
        "/verify" if head.method == Method::POST => verify(app, &head, body).await,
        "/verify" => return not_allowed("POST", "a receipt is verified by POST"),
        id if matches!(head.method, Method::GET | Method::HEAD) => match id[1..].strip_suffix("/receipt") {
            Some(id) => receipt(app, &head, id).await,
            None => status(app, &head, &id[1..]).await,
        },
        _ => return not_allowed("GET, HEAD", "how far an erasure is is asked by GET"),
    };
    answer.unwrap_or_else(|refusal| *refusal)
}

/// Nobody is forgotten without the token, also on loopback.
fn may(app: &App, head: &Parts) -> Result<(), Box<Response>> {
    if app.token.is_none() {
        let detail = "people are erased and exported with the admin token: start the service with ADMIN_TOKEN";
        return Err(Box::new(problem(StatusCode::FORBIDDEN, "token_needed", detail)));
    }
    guard::changer(&head.headers, app.token.as_deref())
}

async fn begin(app: &App, head: &Parts, body: Body) -> Result<Response, Box<Response>> {
    may(app, head)?;
    let body = body_within(body, MOST).await?;
    let wrong = |e: serde_json::Error| {
        let detail = format!("wanted: {{\"site\":…,\"user_id\":…}} or {{\"site\":…,\"anonymous_id\":…}}: {e}");
        Box::new(problem(StatusCode::BAD_REQUEST, "request_wrong", detail))
    };
    let wanted: EraseRequest = serde_json::from_slice(&body).map_err(wrong)?;
    let erasure = app.functions.erase.begin(&wanted).await.map_err(|e| Box::new(refused(&e)))?;
    let (functions, site, id) = (Arc::clone(&app.functions), erasure.site_id.clone(), erasure.erasure_id);
    let stop = app.stop.clone();
    let work = async move {
        tokio::select! {
            () = stop.cancelled() => {}
            done = watched(Function::Erase, Origin::Current, functions.erase.run(&site, id)) => if let Err(error) = done {
                tracing::warn!(erasure = %id, %error, "an erasure waits; it goes on by itself");
            }
        }
    };
    app.tasks.spawn_on(work, &app.runtime);
    Ok((StatusCode::ACCEPTED, axum::Json(ErasureStatus::of(&erasure, None))).into_response())
}

async fn status(app: &App, head: &Parts, id: &str) -> Result<Response, Box<Response>> {
    let (site, id) = named(app, head, id)?;
    let erasure = app.functions.erase.status(&site, id).await.map_err(|e| Box::new(refused(&e)))?;
    let receipt = app.functions.erase.receipt(&site, id).await.map_err(|e| Box::new(refused(&e)))?;
    Ok(axum::Json(ErasureStatus::of(&erasure, receipt.filter(|_| erasure.step == Step::Done))).into_response())
}

/// The receipt as it was signed, byte for byte.
async fn receipt(app: &App, head: &Parts, id: &str) -> Result<Response, Box<Response>> {
    let (site, id) = named(app, head, id)?;
    let text = app.functions.erase.receipt_text(&site, id).await.map_err(|e| Box::new(refused(&e)))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Site and id of an erasure, for who may read.
fn named(app: &App, head: &Parts, id: &str) -> Result<(String, Uuid), Box<Response>> {
    guard::reader(&head.headers, app.token.as_deref())?;
    match (parameter(head, "site"), id.parse()) {
        (Some(site), Ok(id)) => Ok((site, id)),
        _ => Err(Box::new(problem(StatusCode::BAD_REQUEST, "parameter_wrong", "wanted: /v1/erasures/{id}?site=SITE, as `status` said"))),
    }
}

async fn verify(app: &App, head: &Parts, body: Body) -> Result<Response, Box<Response>> {
    guard::reader(&head.headers, app.token.as_deref())?;
    let body = body_within(body, MOST).await?;
    if let Err(error) = serde_json::from_slice::<SignedReceipt>(&body) {
        let detail = format!("wanted: a receipt, byte for byte as it was given: {error}");
        return Err(Box::new(problem(StatusCode::BAD_REQUEST, "receipt_wrong", detail)));
    }
    let valid = app.functions.erase.verifies(&String::from_utf8_lossy(&body)).await.map_err(|e| Box::new(refused(&e)))?;
    Ok(axum::Json(Verified { valid }).into_response())
}

/// `GET /v1/users/{id}/export?site=&anonymous=`: NDJSON as it is read.
pub fn export(app: &App, head: &Parts, id: &str) -> Response {
    if let Err(refusal) = guard::reader(&head.headers, app.token.as_deref()) {
        return *refusal;
    }
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned();
    let (Some(site), anonymous) = (parameter(head, "site"), parameter(head, "anonymous")) else {
        return problem(StatusCode::BAD_REQUEST, "parameter_wrong", "wanted: ?site=SITE");
    };
    let wanted = match anonymous.as_deref() {
        Some("true") => EraseRequest { site, user_id: None, anonymous_id: Some(id) },
        None | Some("false") => EraseRequest { site, user_id: Some(id), anonymous_id: None },
        Some(_) => return problem(StatusCode::BAD_REQUEST, "parameter_wrong", "anonymous is wrong: say true or false"),
    };
    if let Err(error) = wanted.person() {
        return refused(&error);
    }
    let Ok(turn) = Arc::clone(&app.exports).try_acquire_owned() else {
        let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "busy", "other exports run: ask again when one has ended");
        answer.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("10"));
        return answer;
    };
    let (to, lines) = tokio::sync::mpsc::channel::<Result<Bytes, EraseError>>(AHEAD);
    let functions = Arc::clone(&app.functions);
    let work = async move {
        let _turn = turn;
        let (plain, mut taken) = tokio::sync::mpsc::channel::<Bytes>(AHEAD);
        let forward = async {
            while let Some(line) = taken.recv().await {
                if to.send(Ok(line)).await.is_err() {
                    // Nobody reads: the export ends with its next line.
                    taken.close();
                    break;
                }
            }
        };
        let export = async move { functions.erase.export(&wanted, &plain).await };
        // A copy that is cut ends the connection, so that it is not taken for the whole.
        if let (Err(error), ()) = tokio::join!(export, forward) {
            tracing::warn!(%error, "an export of a person was cut off");
            let _ = to.send(Err(error)).await;
        }
    };
    app.tasks.spawn_on(work, &app.runtime);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(ReceiverStream::new(lines))).into_response()
}

fn parameter(head: &Parts, name: &str) -> Option<String> {
    let query = head.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn refused(error: &EraseError) -> Response {
    let (status, code) = match error {
        EraseError::Request(_) => (StatusCode::BAD_REQUEST, "request_wrong"),
        EraseError::Unknown(..) | EraseError::Objects(clickstream_objects::ObjectError::NotFound(_)) => {
            (StatusCode::NOT_FOUND, "erasure_unknown")
        }
        EraseError::Busy(_) => (StatusCode::CONFLICT, "busy"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "part_unavailable"),
    };
    problem(status, code, error.to_string())
}
