//! `ledger`.

use clickstream_reconcile::Ledger;
use serde::Serialize;
use serde_json::Value;

use super::table::Rows;
use crate::{cli, client::Service};

/// Columns of a partition, in the order in which they are shown.
const PARTITIONS: [&str; 16] = [
    "topic",
    "log_id",
    "log_partition",
    "logged",
    "stored",
    "landed",
    "loaded",
    "settled",
    "duplicates",
    "erased",
    "expired",
    "dead_letters",
    "missing",
    "pending",
    "rejected",
    "unaccounted",
];
/// Columns of an hour.
const HOURS: [&str; 11] =
    ["hour", "logged", "stored", "landed", "loaded", "settled", "rejected", "duplicates", "erased", "dead_letters", "received"];

/// Prints what each step has of each partition, the hours if asked for, every gap, and whether it all adds up.
pub async fn run(service: &Service, options: &cli::Ledger) -> anyhow::Result<()> {
    let mut request = service.get("/v1/ledger");
    if let Some(hours) = options.hours {
        request = request.query(&[("hours", hours)]);
    }
    let ledger: Ledger = service.send(request).await?.json().await?;
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&ledger)?);
        return Ok(());
    }
    if options.hours.is_some() {
        rows(&HOURS, &ledger.hours).print(options.output)?;
    } else {
        rows(&PARTITIONS, &ledger.partitions).print(options.output)?;
    }
    if options.output.csv {
        return Ok(());
    }
    for gap in &ledger.gaps {
        let what = match (gap.accepted, gap.in_log) {
            (true, _) => "accepted as lost",
            (false, true) => "the log still holds them: reconcile lands them again",
            (false, false) => "lost: compaction waits until `clickstream reconcile --accept-gap` says so",
        };
        println!("gap: log {} partition {} offsets {}-{}: {what}", gap.log_id, gap.log_partition, gap.from, gap.to);
    }
    for repair in &ledger.repairs {
        println!("{} UTC {}: {} ({})", repair.at, repair.kind, repair.what, repair.count);
    }
    if ledger.spilled_objects > 0 {
        println!("{} objects wait under spill/ to return to the log", ledger.spilled_objects);
    }
    println!("{}", if ledger.balanced { "every record is accounted for" } else { "NOT BALANCED: see unaccounted records and gaps" });
    Ok(())
}

fn rows(columns: &[&str], of: &[impl Serialize]) -> Rows {
    let rows = of.iter().filter_map(|row| match serde_json::to_value(row) {
        Ok(Value::Object(row)) => Some(row),
        _ => None,
    });
    Rows { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows: rows.collect() }
}
