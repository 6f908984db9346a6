//! `replay rejected|topic|raw`.

use serde_json::{Value, json};

use crate::{
    cli::{Replay, ReplaySource},
    client::Service,
};

/// Runs the function replay on the running service and prints its report.
pub async fn run(service: &Service, options: &Replay) -> anyhow::Result<()> {
    let source = match options.source {
        ReplaySource::Rejected => "rejected",
        ReplaySource::Topic => "topic",
        ReplaySource::Raw => "raw",
    };
    let mut played = json!({ "kind": source, "from": options.from, "to": options.to });
    if let Some(partition) = options.partition {
        played["partition"] = partition.into();
    }
    let request = json!({
        "source": played,
        "site": options.site,
        "action": options.action,
        "received_from": options.received_from,
        "received_to": options.received_to,
        "dry_run": options.dry_run,
    });
    let response = service.send(service.post("/2015-03-31/functions/replay/invocations").json(&request)).await?;
    let failed = response.headers().contains_key("x-amz-function-error");
    let report: Value = response.json().await?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    anyhow::ensure!(!failed, "the replay failed");
    Ok(())
}
