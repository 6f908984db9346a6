//! Files over HTTP: `PUT /v1/inbox/{site}/{name}` and the receipt that intake-files writes.

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use clickstream_objects::{ObjectError, PutOptions};
use futures::StreamExt as _;
use http::{Method, Request, StatusCode, header};
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use utoipa::ToSchema;

use super::{
    App, guard,
    problem::{not_allowed, problem},
};

/// The next piece of a file must come within this time; the whole may take longer.
const PIECE_WITHIN: Duration = Duration::from_mins(1);

/// A file that was put into the inbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct Put {
    /// Its `ETag`.
    etag: String,
    /// Its key in the bucket.
    key: String,
    /// Where its receipt will stand, under `/v1/`.
    receipt: String,
}

/// Puts a file into the bucket's inbox; answers where its receipt will stand.
pub async fn put(app: &App, rest: &str, request: Request<Body>) -> Response {
    if *request.method() != Method::PUT {
        return not_allowed("PUT", "files are put: PUT /v1/inbox/{site}/{name}");
    }
    if let Err(refusal) = guard::changer(request.headers(), app.token.as_deref()) {
        return *refusal;
    }
    let decoded = percent_encoding::percent_decode_str(rest).decode_utf8_lossy().into_owned();
    let Some((site, name)) = decoded.split_once('/').filter(|(s, n)| !s.is_empty() && !n.is_empty() && !n.contains("..")) else {
        return problem(StatusCode::BAD_REQUEST, "path_wrong", "the path is /v1/inbox/{site}/{file name}");
    };
    if app.sites.sites().by_id(site).is_none() {
        return problem(StatusCode::NOT_FOUND, "site_unknown", format!("there is no site {site:?}"));
    }
    if let Err(wrong) = clickstream_intake_files::check_name(name) {
        return problem(StatusCode::BAD_REQUEST, "path_wrong", wrong);
    }
    let key = format!("inbox/{site}/{name}");
    match spool_and_put(app, &key, request.into_body()).await {
        Ok(etag) => {
            let receipt = clickstream_intake_files::receipt_key(site, name, &etag);
            (StatusCode::CREATED, axum::Json(Put { etag, key, receipt })).into_response()
        }
        Err(refusal) => *refusal,
    }
}

/// The body through a temporary file into the bucket: memory does not grow with it.
async fn spool_and_put(app: &App, key: &str, body: Body) -> Result<String, Box<Response>> {
    let failed =
        |error: std::io::Error| Box::new(problem(StatusCode::INSUFFICIENT_STORAGE, "disk", format!("cannot keep the file: {error}")));
    let spool = tempfile::NamedTempFile::new_in(app.parts.spool()).map_err(failed)?;
    let mut file = tokio::fs::File::from_std(spool.reopen().map_err(failed)?);
    let mut chunks = body.into_data_stream();
    let slow = |_| {
        let detail = format!("no piece of the file came for {} s: send it again", PIECE_WITHIN.as_secs());
        Box::new(problem(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail))
    };
    while let Some(chunk) = tokio::time::timeout(PIECE_WITHIN, chunks.next()).await.map_err(slow)? {
        let cut = |_| Box::new(problem(StatusCode::BAD_REQUEST, "body_cut", "the file ended before its announced length: send it whole"));
        file.write_all(&chunk.map_err(cut)?).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    app.parts.objects.put_file(key, spool.path(), PutOptions::default()).await.map_err(|e| Box::new(object_problem(&e)))
}

/// The receipt at `/v1/receipts/…`; 404 until the file is done.
pub async fn receipt(app: &App, path: &str) -> Response {
    let key = percent_encoding::percent_decode_str(path.trim_start_matches("/v1/")).decode_utf8_lossy().into_owned();
    match app.parts.objects.get(&key).await {
        Ok((_, bytes)) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => object_problem(&error),
    }
}

/// The answer where the bucket did not do it.
pub fn object_problem(error: &ObjectError) -> Response {
    let (status, code) = match error {
        ObjectError::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        ObjectError::PreconditionFailed(_) => (StatusCode::CONFLICT, "conflict"),
        ObjectError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "objects_unavailable"),
        ObjectError::Full => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
        ObjectError::Refused(_) => (StatusCode::BAD_REQUEST, "object_refused"),
    };
    problem(status, code, error.to_string())
}
