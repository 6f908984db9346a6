//! What a bucket's server announces: `POST /v1/notifications`, MinIO's webhook.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use clickstream_triggers::notifications;
use http::{Method, Request, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::{
    App,
    app::body_within,
    inbox::object_problem,
    problem::{not_allowed, problem},
};

/// Largest body, bytes: a server announces one object or a few.
const MOST: usize = 1 << 20;

/// Writes down what was announced; answered 204 once it is durable. A server that is refused sends it again, MinIO
/// before anything else, so what makes no sense is answered 204 as well, and logged.
pub async fn told(app: &App, request: Request<Body>) -> Response {
    let Some(queue) = &app.parts.queue else {
        return problem(StatusCode::NOT_FOUND, "not_found", "the bucket is this service's own: nobody announces its objects here");
    };
    if !app.works {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_work_here",
            "this host runs with WORK=off: announce objects to one that works",
        );
    }
    let Some(token) = &app.notifications_token else {
        return problem(StatusCode::FORBIDDEN, "token_needed", "announcements need a token: start the service with NOTIFICATIONS_TOKEN");
    };
    // MinIO asks whether anyone is there before it starts.
    if *request.method() != Method::POST {
        return not_allowed("POST", "objects are announced by POST");
    }
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let shown = shown.strip_prefix("Bearer ").unwrap_or(shown);
    if !bool::from(shown.as_bytes().ct_eq(token.as_bytes())) {
        return problem(StatusCode::UNAUTHORIZED, "token_missing", "send NOTIFICATIONS_TOKEN: Authorization: Bearer …");
    }
    let body = match body_within(request.into_body(), MOST).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    let announced = match notifications(&body) {
        Ok(announced) => announced,
        Err(error) => {
            tracing::error!(%error, "an announcement of the bucket makes no sense");
            return StatusCode::NO_CONTENT.into_response();
        }
    };
    match queue.push(&app.parts.probe.sort_out(announced)) {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => object_problem(&error),
    }
}
