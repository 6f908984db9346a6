//! `up`: every part started, in the order in which they need each other, and stopped in reverse.

mod announced;
mod behind;
pub mod caught;
mod data_folder;
mod erasing;
mod functions;
pub mod intact;
mod lease;
mod notified;
mod parts;
pub mod polled;
pub mod probe;
pub mod retention;
mod schedule;
mod sites;
pub mod status;
mod swept;
mod unspilled;

use std::{io::Write as _, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{self, SignalKind},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use functions::Functions;
pub use parts::{Parts, disk_free};

use crate::{
    client::ServiceFile,
    config::Config,
    http::{self, App},
    traces::Traces,
};

/// How long requests and batches in hand may take to finish after a signal.
const DRAIN: Duration = Duration::from_secs(30);

/// Runs the service until SIGTERM or SIGINT.
pub async fn up(config: Config) -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::from_terminal());
    let metrics = clickstream_telemetry::recorder()?;
    let traces = config.traces.as_ref().map(Traces::start).transpose()?;
    let folder = data_folder::DataFolder::claim(&config.data)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another service running there? choose another with --listen", config.listen))?;
    let url = format!("http://{}", listener.local_addr()?);

    if config.set_up {
        config.servers.set_up(false).await.context("the servers cannot be set up")?;
    }
    let parts = Arc::new(Parts::start(&config).await?);
    let sites = Arc::new(sites::open(&config, &parts).await?);
    let log_id = parts.log.log_id().await?;
    intact::check(&parts, &log_id).await?;
    let functions = Arc::new(Functions::new(&parts, log_id, &sites.sites(), &config));
    let stop = CancellationToken::new();
    let work = TaskTracker::new();
    if config.work {
        start_work(&parts, &functions, &config, &stop, &work).await?;
    }
    sites::follow(&sites, &stop, &work);

    let app = App::new(&config, Arc::clone(&parts), sites, Arc::clone(&functions), metrics, work.clone(), stop.clone());
    let server = http::Server::start(listener, app, stop.clone())?;
    // Whoever reads `ready` may send a signal at once.
    let ended = signal()?;
    folder.announce(&ServiceFile { url: url.clone(), pid: std::process::id() })?;
    println!("ready {url}");
    println!("open {url}/ and click a button in the shop; stop with Ctrl-C");
    std::io::stdout().flush()?;

    ended.await;
    tracing::info!("stopping: finishing what is in hand");
    stop.cancel();
    work.close();
    let drained = tokio::time::timeout(DRAIN, async {
        server.ended().await;
        work.wait().await;
    });
    if drained.await.is_err() {
        tracing::warn!("not all work ended within {} s; it is done again at the next start", DRAIN.as_secs());
    }
    parts.stop().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    folder.release();
    Ok(())
}

/// Starts every trigger but HTTP.
async fn start_work(
    parts: &Arc<Parts>,
    functions: &Arc<Functions>,
    config: &Config,
    stop: &CancellationToken,
    work: &TaskTracker,
) -> anyhow::Result<()> {
    polled::start(parts, functions, config, stop, work).await?;
    if let Some(topic) = &config.servers.notifications_topic {
        announced::start(parts, topic, stop, work).await?;
    }
    notified::start(parts, functions, stop, work);
    swept::start(parts, stop, work);
    unspilled::start(parts, functions, stop, work);
    if config.schedule {
        schedule::start(parts, functions, config, stop, work);
    }
    erasing::start(parts, functions, stop, work);
    behind::start(parts, functions, stop, work);
    Ok(())
}

/// Ends with SIGTERM or SIGINT from now on.
pub fn signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = unix::signal(SignalKind::terminate())?;
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
