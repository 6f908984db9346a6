//! What readers ask.

use clickstream_query::{LONGEST_WAIT, Rejections, Timeline, Trace};
use clickstream_telemetry::LiveEvent;
use clickstream_warehouse::{Report, Table};
use serde_json::{Value, json};
use utoipa::openapi::{
    HttpMethod, ResponseBuilder,
    path::{OperationBuilder, Parameter, ParameterIn},
};

use super::{
    super::sites::SitesList,
    operation::{Described, content, json, needed, of, operation, parameter, refused_with, schema, text, with_token},
};

/// The part of the API.
pub const TAG: &str = "Ask";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let get = |path: &str, operation: OperationBuilder, statuses: &[u16]| {
        (path.to_owned(), HttpMethod::Get, refused_with(with_token(operation), statuses).build())
    };
    vec![
        get("/v1/reports/{name}", report(), &[400, 404, 414, 500, 503]),
        get("/v1/events/{event_id}/trace", trace(), &[400, 404, 414, 500, 503]),
        get("/v1/users/{user_id}/events", timeline(), &[400, 414, 500, 503]),
        get("/v1/rejections", rejections(), &[400, 414, 500, 503]),
        get("/v1/live", live(), &[414]),
        get("/v1/export", export(), &[400, 414, 503]),
        get("/v1/sites", operation(TAG, "sites", "The sites").response("200", json::<SitesList>("Their ids and time zones.")), &[]),
    ]
}

fn site() -> Parameter {
    needed("site", "The site.", json!({ "type": "string", "minLength": 1 }))
}

fn a_site() -> Parameter {
    optional("site", "Only this site.", json!({ "type": "string" }))
}

fn day() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn optional(name: &str, what: &str, json: Value) -> Parameter {
    parameter(name, ParameterIn::Query, what, json)
}

fn limit() -> Parameter {
    optional("limit", "Most of them.", json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }))
}

fn report() -> OperationBuilder {
    let names = Report::ALL.map(Report::as_str);
    let found = json::<Table>("The rows by column.").content("text/csv", content(schema(json!({ "type": "string" }))));
    operation(TAG, "report", "A report")
        .description(Some("At most 400 days. With `Accept: text/csv` as CSV."))
        .parameter(parameter("name", ParameterIn::Path, "Which.", json!({ "type": "string", "enum": names })))
        .parameter(site())
        .parameter(optional("from", "First day, UTC; today where it is not given.", day()))
        .parameter(optional("to", "Last day, UTC, inclusive; today where it is not given.", day()))
        .parameter(optional("path", "Of the report heatmap: only this page.", json!({ "type": "string" })))
        .response("200", found)
}

fn trace() -> OperationBuilder {
    let seconds = json!({ "type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0 });
    operation(TAG, "trace", "Where an event is")
        .parameter(parameter("event_id", ParameterIn::Path, "Its id.", json!({ "type": "string", "format": "uuid" })))
        .parameter(optional("site", "Where several sites used the id.", json!({ "type": "string" })))
        .parameter(optional("wait", "Seconds to wait for an event that is not known yet.", seconds))
        .response("200", json::<Trace>("The steps; null where it has not come yet."))
}

fn timeline() -> OperationBuilder {
    operation(TAG, "timeline", "A person's events, newest first")
        .parameter(parameter("user_id", ParameterIn::Path, "The person.", json!({ "type": "string", "minLength": 1 })))
        .parameter(site())
        .parameter(limit())
        .parameter(optional("cursor", "`next_cursor` of the page before.", json!({ "type": "string" })))
        .parameter(optional("anonymous", "The id is an `anonymous_id`.", json!({ "type": "string", "enum": ["true", "false"] })))
        .response("200", json::<Timeline>("A page."))
}

fn rejections() -> OperationBuilder {
    operation(TAG, "rejections", "The newest rejected events with their originals")
        .parameter(a_site())
        .parameter(limit())
        .response("200", json::<Rejections>("Newest first."))
}

fn live() -> OperationBuilder {
    let stream = ResponseBuilder::new()
        .description("Server-sent events: `event` with this as data, `lagged` with `{\"missed\":n}`.")
        .content("text/event-stream", content(of::<LiveEvent>()));
    operation(TAG, "live", "Events as they arrive; the answer does not end").parameter(a_site()).response("200", stream)
}

fn export() -> OperationBuilder {
    let found = text("One event a line.", "application/x-ndjson").content("text/csv", content(schema(json!({ "type": "string" }))));
    operation(TAG, "export", "All events of a site and span")
        .parameter(site())
        .parameter(needed("from", "First day, UTC.", day()))
        .parameter(needed("to", "Last day, UTC, inclusive.", day()))
        .parameter(optional("format", "How.", json!({ "type": "string", "enum": ["ndjson", "csv"], "default": "ndjson" })))
        .response("200", found)
}
