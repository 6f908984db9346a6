//! `setup`.

use anyhow::bail;

use crate::{cli::Setup, config::servers};

/// Makes on the servers what is missing there.
pub async fn run(options: &Setup) -> anyhow::Result<()> {
    let done = servers()?.set_up(options.new_log).await?;
    if done.is_empty() {
        bail!("no server is named: set LOG_URL, STORE_URL, OBJECTS_URL or WAREHOUSE_URL; the embedded parts need no setup");
    }
    for line in done {
        println!("{line}");
    }
    Ok(())
}
