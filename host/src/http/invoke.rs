//! Lambda's Invoke API (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>):
//! `POST /2015-03-31/functions/{name}/invocations` runs a function, so that clients made for Lambda work unchanged.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clickstream_event::Micros;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    App,
    app::body_within,
    guard,
    problem::{not_allowed, problem},
    sigv4::{SCHEME, Signed},
};
use crate::up::Functions;

/// Largest synchronous payload, bytes (Lambda's own limit).
const MOST_PAYLOAD: usize = 6 << 20;
/// How long an asynchronous invocation that failed waits until it is tried again, as Lambda does.
const RETRIES: [Option<Duration>; 3] = [Some(Duration::from_mins(1)), Some(Duration::from_mins(2)), None];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// The error of a function, as Lambda tells it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// What went wrong and what would be right.
    error_message: String,
    /// Always `FunctionError`.
    error_type: &'static str,
}

/// What a caller wants of an invocation.
enum Wanted {
    /// The answer.
    Answer,
    /// That it runs, soon.
    Run,
    /// To know whether it may.
    Permission,
}

/// Answers as Lambda does: 200 with the result, or 200 with `X-Amz-Function-Error` and the error; 202 for an event, which
/// runs after the answer; 204 for a dry run.
pub async fn invoke(app: &App, request: Request<Body>) -> Response {
    let id = Uuid::new_v4().to_string();
    let mut answer = answer(app, request, &id).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

async fn answer(app: &App, request: Request<Body>, id: &str) -> Response {
    if *request.method() != Method::POST {
        return not_allowed("POST", "functions are invoked by POST");
    }
    let signed = header_text(request.headers(), &header::AUTHORIZATION).starts_with(SCHEME) && !app.signing_keys.is_empty();
    if let Err(refusal) =
        if signed { guard::same_site(request.headers(), true) } else { guard::changer(request.headers(), app.token.as_deref()) }
    {
        return *refusal;
    }
    let path = request.uri().path().to_owned();
    let Some(name) = path.strip_prefix("/2015-03-31/functions/").and_then(|p| p.strip_suffix("/invocations")) else {
        return problem(StatusCode::NOT_FOUND, "not_found", "the path is /2015-03-31/functions/{name}/invocations");
    };
    if !is_payload(header_text(request.headers(), &header::CONTENT_TYPE)) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the payload is JSON: Content-Type: application/json");
    }
    let (head, body) = request.into_parts();
    let bytes = match body_within(body, MOST_PAYLOAD).await {
        Ok(bytes) => bytes,
        Err(refusal) => return *refusal,
    };
    if signed {
        let signed = Signed { method: &head.method, uri: &head.uri, headers: &head.headers, body: &bytes };
        let now = Micros::now().0 / Micros::SECOND;
        if !app.signing_keys.iter().any(|key| signed.is_by(key, now)) {
            let detail = "the signature is not by INVOKE_ACCESS_KEY_ID and its secret, or older than five minutes";
            return typed("InvalidSignatureException", problem(StatusCode::FORBIDDEN, "signature_wrong", detail));
        }
    }
    let payload: Value = if bytes.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&bytes) {
            Ok(payload) => payload,
            Err(error) => {
                let refusal = problem(StatusCode::BAD_REQUEST, "not_json", format!("the payload is not JSON: {error}"));
                return typed("InvalidRequestContentException", refusal);
            }
        }
    };
    if !Functions::NAMES.contains(&name) {
        let detail = format!("there is no function {name:?}; there are {}", Functions::NAMES.join(", "));
        return typed("ResourceNotFoundException", problem(StatusCode::NOT_FOUND, "function_unknown", detail));
    }
    match wanted(&head.headers) {
        Ok(Wanted::Answer) => {
            run(app, name, payload, id, header_text(&head.headers, &HeaderName::from_static("x-amz-log-type")) == "Tail").await
        }
        Ok(Wanted::Run) => {
            run_later(app, name, payload, id);
            StatusCode::ACCEPTED.into_response()
        }
        Ok(Wanted::Permission) => StatusCode::NO_CONTENT.into_response(),
        Err(kind) => {
            let detail = format!("X-Amz-Invocation-Type {kind:?} is wrong: RequestResponse, Event or DryRun");
            typed("InvalidParameterValueException", problem(StatusCode::BAD_REQUEST, "invocation_type", detail))
        }
    }
}

/// Runs the function and answers what it says.
async fn run(app: &App, name: &str, payload: Value, id: &str, tail: bool) -> Response {
    let began = Instant::now();
    let outcome = app.functions.invoke(name, payload).await.unwrap_or_else(|| Err(anyhow::anyhow!("there is no function {name:?}")));
    let failed = outcome.as_ref().err().map(|error| format!("{error:#}"));
    let mut answer = match outcome {
        Ok(result) => axum::Json(result).into_response(),
        Err(error) => {
            let mut answer = axum::Json(FunctionError { error_message: format!("{error:#}"), error_type: "FunctionError" }).into_response();
            answer.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
            answer
        }
    };
    answer.headers_mut().insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
    if tail {
        let millis = began.elapsed().as_millis();
        let error = failed.map_or_else(String::new, |error| format!("[ERROR] {}\n", error.chars().take(3_000).collect::<String>()));
        let log =
            format!("START RequestId: {id} Version: $LATEST\n{error}END RequestId: {id}\nREPORT RequestId: {id}\tDuration: {millis} ms\n");
        if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(log)) {
            answer.headers_mut().insert(LOG_RESULT, value);
        }
    }
    answer
}

/// Runs the function after the answer, as part of the host's work. What fails every time, or is cut off by the end of the
/// service, is said in the log.
fn run_later(app: &App, name: &str, payload: Value, id: &str) {
    let (functions, stop, name, id) = (std::sync::Arc::clone(&app.functions), app.stop.clone(), name.to_owned(), id.to_owned());
    let invocation = async move {
        for wait in RETRIES {
            match functions.invoke(&name, payload.clone()).await {
                Some(Err(error)) => {
                    tracing::error!(function = name, id, error = format!("{error:#}"), "an asynchronous invocation failed");
                }
                _ => return,
            }
            let Some(wait) = wait else { return };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {
                    tracing::error!(function = name, id, "an asynchronous invocation that failed is not tried again: the service ends");
                    return;
                }
            }
        }
    };
    app.tasks.spawn_on(invocation, &app.runtime);
}

fn wanted(headers: &HeaderMap) -> Result<Wanted, String> {
    match header_text(headers, &HeaderName::from_static("x-amz-invocation-type")) {
        "" | "RequestResponse" => Ok(Wanted::Answer),
        "Event" => Ok(Wanted::Run),
        "DryRun" => Ok(Wanted::Permission),
        other => Err(other.chars().take(40).collect()),
    }
}

/// True for what no form of a page can send without a question that is never answered.
fn is_payload(kind: &str) -> bool {
    ["", "application/json", "application/octet-stream", "application/x-amz-json-1.0", "application/x-amz-json-1.1"]
        .contains(&kind.split(';').next().unwrap_or_default().trim())
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A refusal as AWS's clients tell them apart.
fn typed(kind: &'static str, mut refusal: Response) -> Response {
    refusal.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(kind));
    refusal
}
