//! The load on our own service: what it takes, what that costs, and whether reports count all of it.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    Load, Traffic,
    batches::Batches,
    connection::Connection,
    freshness::{self, Picker},
    process::Process,
    report::{milliseconds, row, thousands},
    sending::{Tally, send},
    service::Service,
    steps,
    watch::{self as watching, Watch},
};

/// Sends as `options` say, then checks what reports count; prints rows.
pub async fn run(options: &Load) -> anyhow::Result<()> {
    let service = Service::at(&options.target.url)?;
    let process = Process(options.target.pid);
    let batches = Arc::new(Batches::of(options.traffic.batch));
    let before = service.reported().await?;

    let own = Process::own().processor_seconds()?;
    let (done, over) = watch::channel(());
    let host = Watch::aloud(process, over.clone());
    let servers = watching::servers(&options.servers, &over);
    let steps = options.steps.then(|| tokio::spawn(steps::most_behind(service.clone(), over)));
    let (picker, picks) = Picker::new();
    let looking = tokio::spawn(freshness::watch(service.clone(), picks));
    let tally = send_and_pick(options, &batches, picker).await?;
    drop(done);
    let own = Process::own().processor_seconds()? - own;

    let drained = steps::drain(&service).await?;
    let freshness = looking.await??;
    let counted = service.reported_until(before + tally.kept).await?.saturating_sub(before);

    print(&tally, &options.traffic, batches.event_bytes());
    if options.watch_every > 0 {
        freshness.print();
    }
    host.end().await?.print(tally.kept);
    for (name, server) in servers {
        server.end().await?.print_server(name, tally.kept);
    }
    row("processor time of the load generator", &format!("{own:.0} s ({:.2} cores)", own / tally.took));
    if let Some(most) = steps {
        most.await??.print();
        drained.print();
    }
    row("all in ClickHouse", &format!("{:.1} s after the last answer", drained.visible().as_secs_f64()));
    let same = if counted == tally.kept { "the same" } else { "NOT THE SAME" };
    row("events acknowledged and counted by a report", &format!("{} and {}: {same}", thousands(tally.kept), thousands(counted)));
    row("memory after that report", &process.memory()?.to_string());
    // A request that failed may have been logged all the same.
    let most = tally.kept + tally.failed() * options.traffic.batch;
    anyhow::ensure!((tally.kept..=most).contains(&counted), "{} events were acknowledged, {counted} are counted", tally.kept);
    Ok(())
}

async fn send_and_pick(options: &Load, batches: &Arc<Batches>, picker: Picker) -> anyhow::Result<Tally> {
    let picker = Arc::new(picker);
    let sending = send(&options.traffic, batches, || Connection::to(&options.target.url), &picker);
    if options.watch_every == 0 {
        return sending.await;
    }
    tokio::select! {
        tally = sending => tally,
        never = picker.tick(Duration::from_millis(options.watch_every)) => match never {},
    }
}

fn print(tally: &Tally, traffic: &Traffic, event_bytes: u64) {
    let per_second = |count: u64| thousands((count as f64 / tally.took).round() as u64);
    row("events taken", &format!("**{} a second**, {} in {:.1} s", per_second(tally.kept), thousands(tally.kept), tally.took));
    let asked = if traffic.rate == 0 { "as fast as they are answered".to_owned() } else { format!("{} asked", thousands(traffic.rate)) };
    row(
        "requests",
        &format!(
            "{} a second of {} events of {event_bytes} bytes on {} connections, {asked}",
            per_second(tally.requests),
            traffic.batch,
            traffic.connections
        ),
    );
    row("errors", &format!("{} requests, {} events rejected", tally.failed(), tally.rejected));
    row("time to the answer", &milliseconds(&tally.times, &[0.5, 0.9, 0.99, 0.999]));
}
