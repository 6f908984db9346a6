//! `GET /v1/ledger`: what each step has of every partition.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{App, problem::problem};

/// Hours shown where none are asked for.
const USUAL: u32 = 24;
/// Most hours shown.
pub const MOST_HOURS: u32 = 720;

/// Computes the ledger as it stands now.
pub async fn ledger(app: &App, query: &str) -> Response {
    let hours = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "hours").map(|(_, value)| value.into_owned());
    let hours = match hours.map(|text| text.parse::<u32>().ok().filter(|hours| (1..=MOST_HOURS).contains(hours)).ok_or(text)) {
        None => USUAL,
        Some(Ok(hours)) => hours,
        Some(Err(text)) => {
            let detail = format!("hours {text:?} is wrong: a number from 1 to {MOST_HOURS}");
            return problem(StatusCode::BAD_REQUEST, "parameter_wrong", detail);
        }
    };
    match app.functions.reconcile.ledger(hours).await {
        Ok(ledger) => axum::Json(ledger).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, "part_unavailable", error.to_string()),
    }
}
