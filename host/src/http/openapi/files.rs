//! Files of events.

use clickstream_intake_files::Receipt;
use serde_json::json;
use utoipa::openapi::{HttpMethod, path::ParameterIn};

use super::{
    super::{inbox::Put, sites::SitesList},
    operation::{self, Described, json, operation, parameter, refused_with, schema, with_token},
};

/// The part of the API.
pub const TAG: &str = "Files";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let name =
        json!({ "type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9_-]+[.](csv|ndjson|jsonl|json|parquet)([.](gz|zst|br))?$" });
    let site = || parameter("site", ParameterIn::Path, "The site.", json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }));
    let bytes = schema(json!({ "type": "string", "contentMediaType": "application/octet-stream" }));
    let put = with_token(operation(TAG, "inbox", "Put a file of events into the inbox"))
        .description(Some("The name tells the format. The same file put again is not taken again."))
        .parameter(site())
        .parameter(parameter("name", ParameterIn::Path, "The file's name.", name.clone()))
        .request_body(Some(operation::body("The file", "application/octet-stream", bytes)))
        .response("201", json::<Put>("Kept; its receipt will say what became of it."));
    let receipt = with_token(operation(TAG, "receipt", "What became of a file"))
        .parameter(site())
        .parameter(parameter(
            "name",
            ParameterIn::Path,
            "The file's name, `-`, its `ETag`, `.json`: as `receipt` said.",
            json!({ "type": "string" }),
        ))
        .response("200", json::<Receipt>("The receipt."));
    let toml = schema(json!({ "type": "string" }));
    let sites = with_token(operation(TAG, "put_sites", "Put the sites file, where SITES_FILE names an object"))
        .request_body(Some(operation::body("The sites file (TOML), docs/sites.md", "text/plain", toml)))
        .response("200", json::<SitesList>("The sites from now on."));
    let at = |path: &str, method, operation, statuses: &[u16]| (path.to_owned(), method, refused_with(operation, statuses).build());
    vec![
        at("/v1/inbox/{site}/{name}", HttpMethod::Put, put, &[400, 404, 408, 409, 414, 503, 507]),
        at("/v1/receipts/{site}/{name}", HttpMethod::Get, receipt, &[400, 404, 414, 503]),
        at("/v1/sites", HttpMethod::Put, sites, &[400, 408, 409, 413, 503, 507]),
    ]
}
