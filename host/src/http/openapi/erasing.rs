//! People forgotten, and what is held of them.

use clickstream_erase::{EraseRequest, SignedReceipt};
use serde_json::json;
use utoipa::openapi::{HttpMethod, path::ParameterIn};

use super::{
    super::erasures::{ErasureStatus, Verified},
    operation::{self, Described, json, needed, of, operation, parameter, refused_with, text, with_token},
};

/// The part of the API.
pub const TAG: &str = "People";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let site = || needed("site", "The site.", json!({ "type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9._-]+$" }));
    let id = || parameter("erasure_id", ParameterIn::Path, "The erasure.", json!({ "type": "string", "format": "uuid" }));
    let begin = with_token(operation(TAG, "erase", "Forget a person"))
        .description(Some("Needs ADMIN_TOKEN, also on loopback. docs/erasure.md says what goes where."))
        .request_body(Some(operation::body("Whom", "application/json", of::<EraseRequest>())))
        .response("202", json::<ErasureStatus>("It is written down and goes on by itself, also after a restart."));
    let status = with_token(operation(TAG, "erasure", "How far an erasure is"))
        .parameter(id())
        .parameter(site())
        .response("200", json::<ErasureStatus>("The step that is next; with the receipt when it is done."));
    let receipt = with_token(operation(TAG, "erasure_receipt", "The receipt as it was signed"))
        .parameter(id())
        .parameter(site())
        .response("200", json::<SignedReceipt>("One line that ends in its signature."));
    let verify = with_token(operation(TAG, "verify_receipt", "Whether a receipt is as it was signed"))
        .request_body(Some(operation::body("The receipt, byte for byte", "application/json", of::<SignedReceipt>())))
        .response("200", json::<Verified>("Whether nothing in it was changed."));
    let export = with_token(operation(TAG, "export_person", "What is held of a person"))
        .description(Some(
            "Of a user also what stands under anonymous ids that are theirs alone. A JSON object a line: `from` says which store has it.",
        ))
        .parameter(parameter("user_id", ParameterIn::Path, "The person.", json!({ "type": "string", "minLength": 1 })))
        .parameter(site())
        .parameter(parameter(
            "anonymous",
            ParameterIn::Query,
            "The id is an `anonymous_id`.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        ))
        .response("200", text("Events and rejected records.", "application/x-ndjson"));
    let at = |path: &str, method, operation, statuses: &[u16]| (path.to_owned(), method, refused_with(operation, statuses).build());
    vec![
        at("/v1/erasures", HttpMethod::Post, begin, &[400, 408, 413, 414, 503]),
        at("/v1/erasures/{erasure_id}", HttpMethod::Get, status, &[400, 404, 414, 503]),
        at("/v1/erasures/{erasure_id}/receipt", HttpMethod::Get, receipt, &[400, 404, 414, 503]),
        at("/v1/erasures/verify", HttpMethod::Post, verify, &[400, 408, 413, 414, 503]),
        at("/v1/users/{user_id}/export", HttpMethod::Get, export, &[400, 414, 503]),
    ]
}
