//! `export`.

use futures::StreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use tokio::io::AsyncWriteExt as _;

use crate::{
    cli::{Export, ExportFormat},
    client::Service,
};

/// Streams a site's events to standard output; memory does not grow with their number.
pub async fn run(service: &Service, options: &Export) -> anyhow::Result<()> {
    if let Some((id, anonymous)) = options.user.as_ref().map(|id| (id, "false")).or(options.anonymous.as_ref().map(|id| (id, "true"))) {
        let path = format!("/v1/users/{}/export", utf8_percent_encode(id, NON_ALPHANUMERIC));
        let request = service.get(&path).query(&[("site", options.span.site.as_str()), ("anonymous", anonymous)]);
        return print(service.send(request).await?).await;
    }
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
    print(service.send(request).await?).await
}

/// The answer to standard output, as it comes.
async fn print(answer: Response) -> anyhow::Result<()> {
    let mut rows = answer.bytes_stream();
    let mut out = tokio::io::stdout();
    while let Some(chunk) = rows.next().await {
        out.write_all(&chunk?).await?;
    }
    out.flush().await?;
    Ok(())
}
