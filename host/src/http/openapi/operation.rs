//! How operations are written down.

use clickstream_problem::{CONTENT_TYPE, Problem};
use http::StatusCode;
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, Header, HttpMethod, Ref, RefOr, Required, ResponseBuilder, Schema,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        security::SecurityRequirement,
    },
};

/// Names of the ways to show who one is.
pub const KEY: &str = "writeKey";
/// The write key as `?writeKey=`.
pub const KEY_IN_ADDRESS: &str = "writeKeyInAddress";
/// `Authorization: Bearer`.
pub const TOKEN: &str = "adminToken";

/// One operation at its path.
pub type Described = (String, HttpMethod, Operation);

/// The reference to a type's schema.
pub fn of<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

/// A schema written as JSON Schema.
pub fn schema(json: Value) -> RefOr<Schema> {
    serde_json::from_value(json).unwrap_or_else(|error| unreachable!("a schema of ours is wrong: {error}"))
}

/// A body of `kind` with a schema.
pub fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

/// An answer of JSON.
pub fn json<T: ToSchema>(what: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(what).content("application/json", content(of::<T>()))
}

/// An answer of text of `kind`.
pub fn text(what: &str, kind: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(what).content(kind, content(String::schema()))
}

/// A body that must be sent.
pub fn body(what: &str, kind: &str, schema: impl Into<RefOr<Schema>>) -> RequestBody {
    RequestBodyBuilder::new().description(Some(what)).required(Some(Required::True)).content(kind, content(schema)).build()
}

/// A parameter of the address.
pub fn parameter(name: &str, place: ParameterIn, what: &str, json: Value) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new().name(name).parameter_in(place).required(required).description(Some(what)).schema(Some(schema(json))).build()
}

/// A parameter after the `?` that must be there.
pub fn needed(name: &str, what: &str, json: Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some(what))
        .schema(Some(schema(json)))
        .build()
}

/// A header of text.
pub fn header(what: &str) -> Header {
    Header::builder().schema(Some(String::schema())).description(Some(what)).build()
}

/// An operation of a part of the API.
pub fn operation(tag: &str, id: &str, summary: &str) -> OperationBuilder {
    OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary))
}

/// What every operation of readers and operators needs.
pub fn with_token(operation: OperationBuilder) -> OperationBuilder {
    refused_with(operation.security(SecurityRequirement::new(TOKEN, no_scopes())), &[401, 403])
}

/// Scopes are OAuth's; ours have none.
pub fn no_scopes() -> [String; 0] {
    []
}

/// The problems with which an operation may be refused.
pub fn refused_with(operation: OperationBuilder, statuses: &[u16]) -> OperationBuilder {
    statuses.iter().fold(operation, |operation, status| operation.response(status.to_string(), refusal(*status)))
}

fn refusal(status: u16) -> ResponseBuilder {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
    let response = ResponseBuilder::new().description(title).content(CONTENT_TYPE, content(of::<Problem<'_>>()));
    match status {
        401 => response.header("WWW-Authenticate", header("How to show who one is.")),
        429 | 503 => response.header("Retry-After", header("Seconds after which the same request may be sent again.")),
        _ => response,
    }
}
