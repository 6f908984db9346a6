//! `report NAME`.

use clap::ValueEnum;

use super::table::Rows;
use crate::{cli::Report, client::Service};

/// Prints a report of the running service.
pub async fn run(service: &Service, options: &Report) -> anyhow::Result<()> {
    let name = options.name.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    let (from, to) = options.span.days();
    let request = service.get(&format!("/v1/reports/{name}")).query(&[
        ("site", options.span.site.as_str()),
        ("from", &from.to_string()),
        ("to", &to.to_string()),
    ]);
    service.send(request).await?.json::<Rows>().await?.print(options.output)
}
