//! `export`.

use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::{
    cli::{Export, ExportFormat},
    client::Service,
};

/// Streams a site's events to standard output; memory does not grow with their number.
pub async fn run(service: &Service, options: &Export) -> anyhow::Result<()> {
    let (from, to) = options.span.days();
    let format = match options.format {
        ExportFormat::Ndjson => "ndjson",
        ExportFormat::Csv => "csv",
    };
    let request = service.get("/v1/export").query(&[
        ("site", options.span.site.as_str()),
        ("from", &from.to_string()),
        ("to", &to.to_string()),
        ("format", format),
    ]);
    let mut rows = service.send(request).await?.bytes_stream();
    let mut out = tokio::io::stdout();
    while let Some(chunk) = rows.next().await {
        out.write_all(&chunk?).await?;
    }
    out.flush().await?;
    Ok(())
}
