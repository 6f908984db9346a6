//! `replay rejected|topic|raw|days`.

use anyhow::Context as _;
use clickstream_replay::{ChangedField, DayReport, ReplayReport};
use serde_json::{Map, Value, json};

use super::table::Rows;
use crate::{
    cli::{Output, Replay, ReplaySource},
    client::Service,
};

/// Columns of a day, in the order in which they are shown.
const DAYS: [&str; 9] = ["day", "files", "rows", "from_raw", "from_lake", "erased", "changed", "version", "load_id"];

/// Runs the function replay on the running service and prints its report.
pub async fn run(service: &Service, options: &Replay) -> anyhow::Result<()> {
    let mut request = request(options);
    loop {
        let answer = invoke(service, &request).await?;
        if options.source != ReplaySource::Days || options.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        }
        let report: ReplayReport =
            serde_json::from_value(answer).context("the service's report cannot be read: is it of another version?")?;
        if options.source == ReplaySource::Days && !options.json {
            print(&report)?;
        }
        // A run ends in time for a function; the next one goes on.
        let Some(next) = report.next_day else { return Ok(()) };
        request["source"]["from_day"] = json!(next);
    }
}

fn request(options: &Replay) -> Value {
    let kind = match options.source {
        ReplaySource::Rejected => "rejected",
        ReplaySource::Topic => "topic",
        ReplaySource::Raw => "raw",
        ReplaySource::Days => "days",
    };
    let mut played = if options.source == ReplaySource::Days {
        json!({ "kind": kind, "from_day": options.from_day, "to_day": options.to_day.or(options.from_day) })
    } else {
        json!({ "kind": kind, "from": options.from, "to": options.to })
    };
    if let Some(partition) = options.partition {
        played["partition"] = partition.into();
    }
    json!({
        "source": played,
        "site": options.site,
        "action": options.action,
        "received_from": options.received_from,
        "received_to": options.received_to,
        "user_agent": if options.user_agent_rules { "rules" } else { "fills" },
        "dry_run": options.dry_run,
    })
}

async fn invoke(service: &Service, request: &Value) -> anyhow::Result<Value> {
    let response = service.send(service.post("/2015-03-31/functions/replay/invocations").json(request)).await?;
    let failed = response.headers().contains_key("x-amz-function-error");
    let answer: Value = response.json().await?;
    if failed {
        anyhow::bail!("{}", answer["errorMessage"].as_str().unwrap_or("the replay failed"));
    }
    Ok(answer)
}

/// A replay of days for people: each day, what changed of it by field, and some examples.
fn print(report: &ReplayReport) -> anyhow::Result<()> {
    const TABLE: Output = Output { json: false, csv: false };
    let days = report.days.iter().filter_map(|day| match serde_json::to_value(day) {
        Ok(Value::Object(day)) => Some(day),
        _ => None,
    });
    rows(&DAYS, days.collect()).print(TABLE)?;
    let fields: Vec<Map<String, Value>> = report.days.iter().flat_map(fields).collect();
    if !fields.is_empty() {
        rows(&["day", "field", "rows"], fields).print(TABLE)?;
    }
    for sample in report.days.iter().flat_map(|day| &day.samples) {
        println!("{}", line(sample));
    }
    println!("{}", outcome(report));
    Ok(())
}

fn rows(columns: &[&str], rows: Vec<Map<String, Value>>) -> Rows {
    Rows { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
}

fn fields(day: &DayReport) -> impl Iterator<Item = Map<String, Value>> {
    let row = |(field, rows): (&String, &u64)| {
        [("day", json!(day.day)), ("field", json!(field)), ("rows", json!(rows))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    };
    day.fields.iter().map(row)
}

fn line(sample: &ChangedField) -> String {
    let ChangedField { event_id, field, old, new } = sample;
    if old.is_none() && new.is_none() {
        return format!("{event_id} {field}: not shown");
    }
    let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), Value::to_string);
    // Control characters of event text must not reach the terminal; JSON writes them out.
    format!("{event_id} {field}: {} → {}", text(old), text(new))
}

fn outcome(report: &ReplayReport) -> String {
    let (taken, read) = (report.taken, report.read);
    if report.dry_run {
        return format!("{taken} of {read} rows would have another value; nothing was changed");
    }
    let kept = report.replay_id.map_or_else(String::new, |id| format!("; kept as replays/{id}.json"));
    let waits = report.days.iter().any(|day| day.version.is_some() && day.load_id.is_none());
    let settled = if waits { "; reports show it once it is settled" } else { "" };
    format!("{taken} of {read} rows have another value{settled}{kept}")
}
