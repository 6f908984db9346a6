//! Lambda's Invoke API: `POST /2015-03-31/functions/{name}/invocations` runs a function by hand.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{App, app::body_within, guard, problem::problem};

/// Largest synchronous payload, bytes (Lambda's own limit).
const MOST_PAYLOAD: usize = 6 << 20;

/// The error of a function, as Lambda tells it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// What went wrong and what would be right.
    error_message: String,
    /// Always `FunctionError`.
    error_type: &'static str,
}

/// Answers as Lambda does: 200 with the result, or 200 with `X-Amz-Function-Error` and the error.
pub async fn invoke(app: &App, request: Request<Body>) -> Response {
    if *request.method() != Method::POST {
        let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "functions are invoked by POST");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    if let Err(refusal) = guard::changer(request.headers(), app.token.as_deref()) {
        return *refusal;
    }
    let path = request.uri().path().to_owned();
    let Some(name) = path.strip_prefix("/2015-03-31/functions/").and_then(|p| p.strip_suffix("/invocations")) else {
        return problem(StatusCode::NOT_FOUND, "not_found", "the path is /2015-03-31/functions/{name}/invocations");
    };
    let json_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_none_or(|t| t.starts_with("application/json"));
    if !json_type {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the payload is JSON: Content-Type: application/json");
    }
    let bytes = match body_within(request.into_body(), MOST_PAYLOAD).await {
        Ok(bytes) => bytes,
        Err(refusal) => return *refusal,
    };
    let payload: Value = if bytes.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&bytes) {
            Ok(payload) => payload,
            Err(error) => return problem(StatusCode::BAD_REQUEST, "not_json", format!("the payload is not JSON: {error}")),
        }
    };
    match app.functions.invoke(name, payload).await {
        None => problem(
            StatusCode::NOT_FOUND,
            "function_unknown",
            format!("there is no function {name:?}; there are {}", crate::up::Functions::NAMES.join(", ")),
        ),
        Some(Ok(result)) => axum::Json(result).into_response(),
        Some(Err(error)) => {
            let body = FunctionError { error_message: format!("{error:#}"), error_type: "FunctionError" };
            let mut answer = axum::Json(body).into_response();
            answer.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
            answer
        }
    }
}
