//! The description of the HTTP API (`OpenAPI` 3.1), made of the types that the answers are made of.
//!
//! `docs/api/openapi.json` is its text, `GET /openapi.json` serves it, and the contract test holds the service to it.

mod asking;
mod files;
mod invoking;
mod operation;
mod sending;
mod shapes;
mod watching;

use clickstream_collect::Answer;
use clickstream_event::{Event, ReasonCode};
use clickstream_intake_files::Receipt;
use clickstream_problem::Problem;
use clickstream_query::{Rejections, Timeline, Trace};
use clickstream_reconcile::Ledger;
use clickstream_telemetry::LiveEvent;
use clickstream_warehouse::Table;
use utoipa::{
    ToSchema,
    openapi::{
        ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, PathsBuilder, RefOr, Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};

use super::{inbox::Put, invoke::FunctionError, sites::SitesList};
use crate::up::status::Status;

const ABOUT: &str = "Views and clicks, from a page to a report. Every refusal is a problem (RFC 9457) with a `code` for programs and a \
                     `detail` that says what is wrong and what would be right. docs/api/README.md has examples of everything.";

/// The parts of the API, in the order in which they are shown.
const TAGS: [(&str, &str); 5] = [
    (sending::TAG, "Events over HTTP, for whoever has a write key. Each event's fate stands in the answer."),
    (files::TAG, "Files of events, and what became of them."),
    (asking::TAG, "Reports, traces, people. With ADMIN_TOKEN set they need it; without, they are open on loopback."),
    (invoking::TAG, "Functions run by hand, as Lambda's Invoke API does."),
    (watching::TAG, "For whoever runs the service."),
];

/// The whole description.
pub fn document() -> OpenApi {
    let mut types = Vec::new();
    with::<Answer<'_>>(&mut types);
    with::<Event>(&mut types);
    with::<FunctionError>(&mut types);
    with::<Ledger>(&mut types);
    with::<LiveEvent>(&mut types);
    with::<Problem<'_>>(&mut types);
    with::<Put>(&mut types);
    with::<ReasonCode>(&mut types);
    with::<Receipt>(&mut types);
    with::<Rejections>(&mut types);
    with::<SitesList>(&mut types);
    with::<Status>(&mut types);
    with::<Table>(&mut types);
    with::<Timeline>(&mut types);
    with::<Trace>(&mut types);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(types)
        .schemas_from_iter(shapes::all())
        .security_scheme(operation::KEY, basic("The write key is the user name; no password."))
        .security_scheme(operation::KEY_IN_ADDRESS, SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("writeKey"))))
        .security_scheme(operation::TOKEN, bearer("ADMIN_TOKEN."));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Clickstream")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build())),
        )
        .tags(Some(TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())))
        .paths(paths())
        .components(Some(components.build()))
        .build()
}

/// The description as text, as it stands in docs/api/openapi.json.
///
/// # Errors
/// Those of JSON.
pub fn text() -> serde_json::Result<String> {
    Ok(document().to_pretty_json()? + "\n")
}

/// Adds a type and all that it is made of.
fn with<T: ToSchema>(types: &mut Vec<(String, RefOr<Schema>)>) {
    types.push((T::name().into_owned(), T::schema()));
    T::schemas(types);
}

fn paths() -> Paths {
    let mut paths = PathsBuilder::new().build();
    for (path, method, operation) in
        [sending::operations(), files::operations(), asking::operations(), invoking::operations(), watching::operations()]
            .into_iter()
            .flatten()
    {
        paths.add_path_operation(path, vec![method], operation);
    }
    paths
}

fn basic(text: &str) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(text)).build())
}

fn bearer(text: &str) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build())
}
