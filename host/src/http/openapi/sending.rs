//! Events over HTTP.

use clickstream_collect::Answer;
use serde_json::{Value, json};
use utoipa::openapi::{
    HttpMethod, Ref, ResponseBuilder,
    path::{OperationBuilder, ParameterIn},
    request_body::RequestBody,
    security::SecurityRequirement,
};

use super::operation::{self, Described, content, header, operation, parameter, refused_with, schema};

/// The part of the API.
pub const TAG: &str = "Send events";

/// Paths of batches in Segment's shape.
const BATCHES: [&str; 3] = ["/v1/batch", "/v1/b", "/v1/import"];
/// Segment's types; each has a path, one of its first letter, and two of its image.
const TYPES: [&str; 6] = ["track", "page", "screen", "identify", "group", "alias"];

const GENEROUS: &str = "Compressed bodies say so by `Content-Encoding` or `?compression=` (gzip, deflate, br, zstd). `text/plain` and \
                        `application/x-www-form-urlencoded`, which beacons send, are read as JSON too. After 429 and 503 nothing was \
                        kept: send the same request again.";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let mut all = Vec::new();
    for path in BATCHES {
        all.push(post(path, "Several events, each with its `type`", "SegmentBatch"));
    }
    for name in TYPES {
        let summary = format!("One event of Segment's type `{name}`");
        all.push(post(&format!("/v1/{name}"), &summary, "SegmentEvent"));
        all.push(post(&format!("/v1/{}", &name[..1]), &summary, "SegmentEvent"));
    }
    all.push(post("/v1/events", "Events by the service's own names", "CanonicalEvents"));
    all.push(post("/clicks", "Events by the names of the clicks CSV", "ClickEvents"));
    for path in ["/pixel/v1/{type}", "/v1/pixel/{type}"] {
        all.push((path.to_owned(), HttpMethod::Get, pixel(path).build()));
    }
    all.push(("/v1/projects/{writeKey}/settings".to_owned(), HttpMethod::Get, settings().build()));
    all.push(("/v1/m".to_owned(), HttpMethod::Post, measurements().build()));
    all
}

fn post(path: &str, summary: &str, shape: &str) -> Described {
    let answered = |what: &str| {
        ResponseBuilder::new()
            .description(what)
            .content("application/json", content(operation::of::<Answer<'_>>()))
            .header("X-Clickstream-Spilled", header("`1` where the log is away and the events wait in the bucket."))
    };
    let operation = keyed(operation(TAG, &id(path), summary))
        .description(Some(GENEROUS))
        .parameter(parameter("Prefer", ParameterIn::Header, "`respond-async` asks for status 202.", json!({ "type": "string" })))
        .request_body(Some(json_body(shape)))
        .response("200", answered("Each event's fate, in the order sent; all of it is durable."))
        .response("202", answered("The same, where `Prefer: respond-async` was sent."));
    (path.to_owned(), HttpMethod::Post, refused_with(operation, &[400, 401, 403, 408, 413, 414, 415, 422, 429, 500, 503]).build())
}

fn json_body(shape: &str) -> RequestBody {
    operation::body("Events", "application/json", Ref::from_schema_name(shape))
}

/// The key beside the body, or in it.
fn keyed(operation: OperationBuilder) -> OperationBuilder {
    operation
        .security(SecurityRequirement::new(operation::KEY, operation::no_scopes()))
        .security(SecurityRequirement::new(operation::KEY_IN_ADDRESS, operation::no_scopes()))
        .security(SecurityRequirement::default())
}

fn pixel(path: &str) -> OperationBuilder {
    let types: Vec<&str> = TYPES.iter().flat_map(|name| [*name, &name[..1]]).collect();
    let image = ResponseBuilder::new()
        .description("A transparent GIF of 43 bytes, whatever is wrong with the event.")
        .content("image/gif", content(schema(json!({ "type": "string", "contentMediaType": "image/gif" }))))
        .header("X-Clickstream-Problem", header("What is wrong, as `code: detail`."));
    let text = |name: &str, what: &str| parameter(name, ParameterIn::Query, what, json!({ "type": "string" }));
    let format = json!({ "type": "string", "enum": ["204"] });
    let operation = keyed(operation(TAG, &id(path), "One event in the address of an image"))
        .description(Some("Each other parameter is a field of Segment's shape, with dots between the names of nested ones."))
        .parameter(parameter("type", ParameterIn::Path, "Segment's type.", json!({ "type": "string", "enum": types })))
        .parameter(text("data", "The whole event as JSON in Base64."))
        .parameter(text("event", "What a `track` tells."))
        .parameter(text("userId", "Who."))
        .parameter(text("anonymousId", "Who, where nobody is named."))
        .parameter(text("properties.element_id", "The element seen or clicked."))
        .parameter(parameter("format", ParameterIn::Query, "An empty answer in place of the image.", format))
        .response("200", image)
        .response("204", ResponseBuilder::new().description("Kept, and no image was asked for."));
    refused_with(operation, &[400, 401, 403, 404, 413, 414, 422, 429, 500, 503])
}

fn settings() -> OperationBuilder {
    let key = json!({ "type": "string", "minLength": 1, "pattern": "^[^/]+$" });
    let found = ResponseBuilder::new()
        .description("The settings that Segment's browser client asks for.")
        .content("application/json", content(schema(json!({ "type": "object" }))));
    let operation = operation(TAG, "settings", "Settings for Segment's browser client")
        .security(SecurityRequirement::default())
        .parameter(parameter("writeKey", ParameterIn::Path, "The write key.", key))
        .response("200", found);
    refused_with(operation, &[404])
}

fn measurements() -> OperationBuilder {
    let series: Value = json!({ "type": "object", "required": ["series"], "properties": { "series": { "type": "array" } } });
    let operation = operation(TAG, "measurements", "What Segment's browser client measures about itself: counted, kept nowhere")
        .security(SecurityRequirement::default())
        .request_body(Some(operation::body("Measurements", "application/json", schema(series))))
        .response("204", ResponseBuilder::new().description("Counted."));
    refused_with(operation, &[400, 408, 413, 415, 422])
}

/// The operation's name: its path in letters.
fn id(path: &str) -> String {
    path.split(['/', '{', '}']).filter(|part| !part.is_empty() && *part != "v1").collect::<Vec<_>>().join("_")
}
