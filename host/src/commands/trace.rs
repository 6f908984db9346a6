//! `trace ID`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{cli::Trace, client::Service};

/// Prints where an event is, step by step.
pub async fn run(service: &Service, options: &Trace) -> anyhow::Result<()> {
    let id = utf8_percent_encode(&options.event_id, NON_ALPHANUMERIC);
    let mut request = service.get(&format!("/v1/events/{id}/trace"));
    if let Some(site) = &options.site {
        request = request.query(&[("site", site)]);
    }
    let trace: Value = service.send(request).await?.json().await?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&trace)?);
        return Ok(());
    }
    let Some(steps) = trace.as_object() else { return Ok(()) };
    for (step, value) in steps {
        let text = match value {
            Value::Null => "not yet".to_owned(),
            Value::String(text) => text.clone(),
            Value::Object(fields) => fields
                .iter()
                .map(|(k, v)| format!("{k} {}", v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        println!("{step:<14}{text}");
    }
    Ok(())
}
