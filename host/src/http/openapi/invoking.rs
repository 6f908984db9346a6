//! Functions run by hand.

use serde_json::json;
use utoipa::openapi::{HttpMethod, ResponseBuilder, path::ParameterIn};

use super::{
    super::invoke::FunctionError,
    operation::{Described, content, header, of, operation, parameter, refused_with, schema, with_token},
};
use crate::up::Functions;

/// The part of the API.
pub const TAG: &str = "Invoke";

/// Every operation.
pub fn operations() -> Vec<Described> {
    let any = schema(json!({ "anyOf": [{ "$ref": of_name() }, { "type": "object" }] }));
    let ran = ResponseBuilder::new()
        .description("What the function answers, or its error.")
        .content("application/json", content(any))
        .header("X-Amz-Log-Result", header("The end of the log in Base64."))
        .header("X-Amz-Function-Error", header("`Unhandled` where the function failed."));
    let name = json!({ "type": "string", "enum": Functions::NAMES });
    let operation = with_token(operation(TAG, "invoke", "Run a function"))
        .parameter(parameter("name", ParameterIn::Path, "The function.", name))
        .request_body(Some(super::operation::body(
            "Its payload; {} asks for all.",
            "application/json",
            schema(json!({ "type": "object" })),
        )))
        .parameter(parameter(
            "X-Amz-Invocation-Type",
            ParameterIn::Header,
            "Whether to wait for the answer, to run it after this one, or only to ask whether it may run.",
            json!({ "type": "string", "enum": ["RequestResponse", "Event", "DryRun"] }),
        ))
        .parameter(parameter(
            "X-Amz-Log-Type",
            ParameterIn::Header,
            "`Tail` for the end of the log.",
            json!({ "type": "string", "enum": ["None", "Tail"] }),
        ))
        .response("200", ran)
        .response("202", ResponseBuilder::new().description("It runs."))
        .response("204", ResponseBuilder::new().description("It may run."));
    let path = "/2015-03-31/functions/{name}/invocations".to_owned();
    vec![(path, HttpMethod::Post, refused_with(operation, &[400, 404, 408, 413, 414, 415]).build())]
}

fn of_name() -> String {
    let utoipa::openapi::RefOr::Ref(reference) = of::<FunctionError>() else { return String::new() };
    reference.ref_location
}
