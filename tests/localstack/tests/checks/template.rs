//! What LocalStack made of `template.yaml`.

use std::collections::BTreeMap;

use crate::{
    aws::elements,
    scene::{Scene, root},
};

/// Every function is active, has the variables that its sources read, and the bucket announces to those that it should.
pub async fn every_function_stands_with_what_triggers_it(scene: &Scene) {
    let functions = scene.aws.functions().await;
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    assert_eq!(functions.len(), template.matches("Type: AWS::Serverless::Function").count(), "{functions:?}");
    for function in &functions {
        let (name, variables) = (&function["FunctionName"], &function["Environment"]["Variables"]);
        assert_eq!(function["Runtime"], "provided.al2023", "{name}");
        assert_eq!(variables["OBJECTS_URL"], "s3://clickstream", "{name}");
        assert_eq!(variables["LOG_ID"], scene.fact("log_id"), "{name}");
    }
    let load = functions.iter().find(|f| f["FunctionName"] == "clickstream-load").expect("load is there");
    assert_eq!(load["Environment"]["Variables"]["WAREHOUSE_URL"], scene.fact("warehouse_url"), "the secret is resolved");
    let announced = scene.aws.configuration("notification").await;
    let to = elements(&announced, "CloudFunction").into_iter().map(|arn| arn.rsplit(':').next().unwrap_or_default().to_owned());
    let announced: BTreeMap<String, String> = elements(&announced, "Value").into_iter().zip(to).collect();
    let wanted = [("inbox/", "clickstream-intake-files"), ("raw/events/", "clickstream-load"), ("spill/", "clickstream-unspill")];
    assert_eq!(announced, wanted.map(|(prefix, function)| (prefix.to_owned(), function.to_owned())).into());
}
