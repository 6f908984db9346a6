//! Puts of events with random ids by many persons, as fast as they go: prints the rate and the
//! processor time per 250,000. `put_rate [EVENTS] [EVENTS_PER_PUT] [FOLDER]`

use std::{path::PathBuf, time::Instant};

use clickstream_store::{EventStore, Person, conformance::event, sqlite::SqliteStore};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut args = std::env::args().skip(1);
    let events: i64 = args.next().map_or(Ok(1_000_000), |a| a.parse())?;
    let per_put: i64 = args.next().map_or(Ok(5_000), |a| a.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("put-rate-{}", std::process::id()));
    let result = runtime.block_on(run(events, per_put, &folder));
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn run(events: i64, per_put: i64, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = SqliteStore::open(folder)?;
    let (mut elapsed, mut processor, mut since) = (0.0, 0.0, 0);
    let mut first = None;
    for from in (0..events).step_by(per_put as usize) {
        // Made outside the measured time.
        let batch: Vec<_> = (from..from + per_put).map(made).collect();
        first = first.or_else(|| Some(batch[0].clone()));
        let (began, before) = (Instant::now(), processor_seconds()?);
        store.put_events(&batch).await?;
        elapsed += began.elapsed().as_secs_f64();
        processor += processor_seconds()? - before;
        since += per_put;
        if since >= 250_000 {
            println!(
                "{} rows: {:.0} events/s, {:.1} % of a core at 10,000 events/s",
                from + per_put,
                since as f64 / elapsed,
                processor / since as f64 * 1_000_000.0
            );
            (elapsed, processor, since) = (0.0, 0.0, 0);
        }
    }
    let first = first.ok_or("no events")?;
    let began = Instant::now();
    store.find(None, first.event.event_id).await?;
    println!("one event found in {:?}", began.elapsed());
    let person = Person::User(first.event.user_id.unwrap_or_default());
    let began = Instant::now();
    let timeline = store.timeline("demo", &person, None, 100).await?;
    println!("a timeline of {} in {:?}", timeline.len(), began.elapsed());
    let bytes: u64 = std::fs::read_dir(folder)?.filter_map(|f| Some(f.ok()?.metadata().ok()?.len())).sum();
    println!("{} bytes of files per event", bytes / events as u64);
    store.close().await;
    Ok(())
}

/// A tenth of all persons come back in each hour, with a few events each.
fn made(n: i64) -> clickstream_event::Logged {
    let mut logged = event("demo", n / 10_000);
    let person = (n / 5 * 7_919) % 100_000;
    logged.event.anonymous_id = Some(Uuid::from_u64_pair(person as u64, 77).to_string());
    logged.event.user_id = (person % 3 == 0).then(|| format!("user-{person}"));
    logged.event.session_id = Some(format!("s-{}", n / 5));
    logged.event.path = Some(format!("/products/{}", n % 700));
    logged
}

/// Fields 14 and 15 of `/proc/self/stat`, in hundredths of a second (`proc_pid_stat(5)`).
fn processor_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
