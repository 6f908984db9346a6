//! `reconcile` and `rebuild`.

use clap::ValueEnum as _;
use serde_json::{Value, json};

use crate::{
    cli::{Rebuild, Reconcile},
    client::Service,
};

/// Compares everything on the running service, mends, and prints its report.
pub async fn reconcile(service: &Service, options: &Reconcile) -> anyhow::Result<()> {
    let request = json!({ "dry_run": options.dry_run, "accept_gap": options.accept_gap });
    let report = invoke(service, "reconcile", &request).await?;
    let failed = report["failed"].as_array().is_some_and(|failed| !failed.is_empty());
    anyhow::ensure!(!failed, "not everything could be reconciled; the report says what");
    Ok(())
}

/// Rebuilds ClickHouse and the event store of the running service, and prints the report.
pub async fn rebuild(service: &Service, options: &Rebuild) -> anyhow::Result<()> {
    let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    let only = options.only.and_then(|part| name(part.to_possible_value()));
    invoke(service, "rebuild", &json!({ "from": name(options.from.to_possible_value()), "only": only })).await?;
    Ok(())
}

async fn invoke(service: &Service, function: &str, request: &Value) -> anyhow::Result<Value> {
    let response = service.send(service.post(&format!("/2015-03-31/functions/{function}/invocations")).json(request)).await?;
    let failed = response.headers().contains_key("x-amz-function-error");
    let report: Value = response.json().await?;
    if failed {
        anyhow::bail!("{}", report["errorMessage"].as_str().unwrap_or("the function failed"));
    }
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(report)
}
