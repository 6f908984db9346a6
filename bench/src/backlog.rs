//! How fast a service works off what waits, and what that costs.

use tokio::sync::watch;

use crate::{
    Backlog,
    process::Process,
    report::row,
    service::Service,
    steps,
    watch::{self as watching, Watch},
};

/// Watches until nothing waits; prints rows.
pub async fn run(options: &Backlog) -> anyhow::Result<()> {
    let service = Service::at(&options.target.url)?;
    let (done, over) = watch::channel(());
    let host = Watch::aloud(Process(options.target.pid), over.clone());
    let servers = watching::servers(&options.servers, &over);
    let drained = steps::drain(&service).await?;
    drop(done);
    drained.print();
    row("all in ClickHouse", &format!("after {:.1} s", drained.visible().as_secs_f64()));
    host.end().await?.print(drained.events());
    for (name, server) in servers {
        server.end().await?.print_server(name, drained.events());
    }
    Ok(())
}
