//! For whoever runs the service.

use clickstream_reconcile::Ledger;
use serde_json::json;
use utoipa::openapi::{HttpMethod, ResponseBuilder, path::ParameterIn, security::SecurityRequirement};

use super::{
    super::ledger::MOST_HOURS,
    operation::{self, Described, content, operation, parameter, refused_with, schema, text, with_token},
};
use crate::up::status::Status;

/// The part of the API.
pub const TAG: &str = "Watch";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let open = |id: &str, summary: &str| operation(TAG, id, summary).security(SecurityRequirement::default());
    let description =
        ResponseBuilder::new().description("OpenAPI 3.1.").content("application/json", content(schema(json!({ "type": "object" }))));
    let get = |path: &str, operation: utoipa::openapi::path::OperationBuilder| (path.to_owned(), HttpMethod::Get, operation.build());
    vec![
        get("/health", open("health", "The process lives").response("200", text("`ok`", "text/plain"))),
        get("/ready", refused_with(open("ready", "It takes events").response("200", text("`ready`", "text/plain")), &[503])),
        get(
            "/metrics",
            with_token(operation(TAG, "metrics", "Metrics for Prometheus").response("200", text("Prometheus' text format.", "text/plain"))),
        ),
        get(
            "/v1/status",
            refused_with(
                with_token(operation(TAG, "status", "How far every step is behind"))
                    .response("200", operation::json::<Status>("The steps in the order of the pipeline.")),
                &[503],
            ),
        ),
        get(
            "/v1/ledger",
            refused_with(
                with_token(operation(TAG, "ledger", "What each step has of every record"))
                    .parameter(parameter(
                        "hours",
                        ParameterIn::Query,
                        "So many of the last hours.",
                        json!({ "type": "integer", "minimum": 1, "maximum": MOST_HOURS, "default": 24 }),
                    ))
                    .response("200", operation::json::<Ledger>("By partition and by hour, with every gap and the newest repairs.")),
                &[400, 414, 503],
            ),
        ),
        get("/openapi.json", open("openapi", "This description").response("200", description)),
        get("/docs", open("docs", "This description as a page").response("200", text("A page.", "text/html"))),
    ]
}
