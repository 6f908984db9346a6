//! `clickhouse`: ClickHouse for several services, where there is no server of it.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use clickstream_warehouse::embedded::EmbeddedClickHouse;

use crate::{cli::Clickhouse, config, up};

/// Serves until SIGTERM or SIGINT.
pub async fn run(data: &Path, options: &Clickhouse) -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::from_terminal());
    let ended = up::signal()?;
    let (folder, library) = (data.join("clickhouse"), config::chdb_lib()?);
    let served = EmbeddedClickHouse::serve(&folder, &library, options.listen, options.password.clone());
    let clickhouse = served.await.context("ClickHouse does not start")?;
    let (_, address) = clickhouse.url().rsplit_once('@').unwrap_or_default();
    println!("ready http://default:PASSWORD@{address}");
    std::io::stdout().flush()?;
    ended.await;
    clickhouse.shutdown().await;
    Ok(())
}
