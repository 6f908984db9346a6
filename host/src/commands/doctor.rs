//! `doctor`.

use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use serde_json::{Map, Value};

use super::table::Rows;
use crate::{
    cli::{Cli, Doctor, Output},
    client::Service,
    doctor::{Finding, State, examine, summary},
};

/// Prints what was found and how to mend it; an error if anything is broken.
pub async fn run(cli: &Cli, options: Doctor) -> anyhow::Result<()> {
    let spinner = ProgressBar::new_spinner().with_message("looking at every part");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let findings = Box::pin(examine(cli, &Service::find(cli)?)).await;
    spinner.finish_and_clear();
    let (said, broken) = summary(&findings);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        print(&findings)?;
    }
    if broken {
        bail!(said);
    }
    if !options.json {
        println!("{said}");
    }
    Ok(())
}

/// Longest text of a cell, characters; what is bad stands below the table in full.
const WIDEST: usize = 96;

/// A table; below it what is bad and what would mend it, so that commands can be copied.
fn print(findings: &[Finding]) -> anyhow::Result<()> {
    let columns = ["part", "check", "state", "found"].map(str::to_owned).to_vec();
    Rows { columns, rows: findings.iter().map(row).collect() }.print(Output { json: false, csv: false })?;
    for finding in findings.iter().filter(|finding| finding.state != State::Ok) {
        let Finding { part, check, state, found, mend } = finding;
        println!("{} {part}, {check}: {found}\n  -> {}", state.as_str(), mend.as_deref().unwrap_or_default());
    }
    Ok(())
}

fn row(finding: &Finding) -> Map<String, Value> {
    let Finding { part, check, state, found, .. } = finding;
    let shown = match found.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &found[..end]),
        None => found.clone(),
    };
    let cells = [("part", *part), ("check", check), ("state", state.as_str()), ("found", &shown)];
    cells.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))).collect()
}
