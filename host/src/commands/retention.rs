//! `retention`.

use anyhow::Context as _;
use clickstream_retention::RetentionReport;
use serde_json::{Value, json};

use super::table::Rows;
use crate::{cli::Retention, client::Service};

/// Columns of a rule, in the order in which they are shown.
const COLUMNS: [&str; 5] = ["rule", "kept", "removed", "unit", "note"];

/// Applies every rule on the running service, or says what would go, and prints its report.
pub async fn run(service: &Service, options: &Retention) -> anyhow::Result<()> {
    let request = json!({ "dry_run": options.dry_run });
    let response = service.send(service.post("/2015-03-31/functions/retention/invocations").json(&request)).await?;
    let failed = response.headers().contains_key("x-amz-function-error");
    let said: Value = response.json().await?;
    anyhow::ensure!(!failed, "{}", said["errorMessage"].as_str().unwrap_or("the function failed"));
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&said)?);
    } else {
        rows(&said).print(options.output)?;
    }
    let report: RetentionReport = serde_json::from_value(said).context("the service's report cannot be read")?;
    if options.dry_run && !options.output.json && !options.output.csv {
        println!("nothing was removed");
    }
    report.whole()?;
    Ok(())
}

fn rows(said: &Value) -> Rows {
    let rules = said["rules"].as_array().into_iter().flatten().filter_map(Value::as_object).cloned();
    Rows { columns: COLUMNS.map(str::to_owned).to_vec(), rows: rules.collect() }
}
