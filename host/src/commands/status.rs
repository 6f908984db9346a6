//! `status`.

use serde_json::Value;

use super::table::Rows;
use crate::{
    cli::Output,
    client::Service,
    up::status::{STEP_COLUMNS, Status},
};

/// Prints the lag of every step.
pub async fn run(service: &Service, output: Output) -> anyhow::Result<()> {
    let status: Status = service.send(service.get("/v1/status")).await?.json().await?;
    if output.json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    let rows = status.steps.iter().filter_map(|step| match serde_json::to_value(step) {
        Ok(Value::Object(row)) => Some(row),
        _ => None,
    });
    Rows { columns: STEP_COLUMNS.map(str::to_owned).to_vec(), rows: rows.collect() }.print(output)?;
    if !output.csv {
        println!("{}", status.summary());
        println!("{}", status.sites.summary());
    }
    Ok(())
}
