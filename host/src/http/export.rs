//! `GET /v1/export`: a site's events as they stand in the view `clicks`.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use clickstream_warehouse::WarehouseError;
use futures::TryStreamExt as _;
use http::{HeaderValue, StatusCode, header};

use super::{App, disarm::Disarm, problem::problem};

/// Streams rows; memory does not grow with their number.
pub fn export(app: &App, query: &str) -> Response {
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    let day = |name: &str| value(name).and_then(|v| v.parse::<jiff::civil::Date>().ok());
    let (Some(site), Some(from), Some(to)) = (value("site"), day("from"), day("to")) else {
        return problem(StatusCode::BAD_REQUEST, "parameter_wrong", "wanted: site, and from and to as days such as 2026-11-24");
    };
    let (format, kind) = match value("format").unwrap_or("ndjson") {
        "ndjson" => ("JSONEachRow", "application/x-ndjson"),
        "csv" => ("CSVWithNames", "text/csv; charset=utf-8"),
        other => return problem(StatusCode::BAD_REQUEST, "parameter_wrong", format!("format {other:?} is wrong: ndjson or csv")),
    };
    let Ok(turn) = Arc::clone(&app.exports).try_acquire_owned() else {
        let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "busy", "other exports run: ask again when one has ended");
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        return answer;
    };
    match app.parts.warehouse.export(site, from, to, format) {
        Ok(rows) => {
            // Held until the last row, or until the client is gone.
            let rows = rows.inspect_ok(move |_| _ = &turn);
            let mut csv = Disarm::default();
            let body = match format {
                "CSVWithNames" => Body::from_stream(rows.map_ok(move |chunk| csv.next(&chunk))),
                _ => Body::from_stream(rows),
            };
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(WarehouseError::Refused { message, .. }) => problem(StatusCode::BAD_REQUEST, "parameter_wrong", message),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, "warehouse_unavailable", error.to_string()),
    }
}

/// The id in `/v1/users/{id}/export`, as it stands in the address.
pub fn of_person(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/users/")?.strip_suffix("/export").filter(|id| !id.is_empty() && !id.contains('/'))
}
