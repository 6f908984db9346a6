//! What ClickHouse in process costs: resident memory and times over a million fresh and three million settled events.
//!
//! `cargo run --release -p clickstream-warehouse --example memory`

use std::{path::Path, time::Instant};

use clickstream_event::{Action, Event, Micros};
use clickstream_warehouse::{
    Commit, Day, Report, ReportQuery, Warehouse,
    conformance::{event, lake_file, object},
    embedded::EmbeddedClickHouse,
};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

/// Resident, highest resident and anonymous memory of this process, MiB.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0) / 1_024
    };
    format!("resident {} MiB, highest {} MiB, anonymous {} MiB", value("VmRSS"), value("VmHWM"), value("RssAnon"))
}

/// Events a thousandth of a second apart.
fn events(first: u64, count: u64) -> Vec<Event> {
    (first..first + count)
        .map(|n| {
            let mut e = event(&format!("site{}", n % 3), 0, &format!("anon{}", n / 40));
            let at = Micros(e.occurred_at.0 + i64::try_from(n).unwrap_or(0) * 5_000);
            (e.original_at, e.occurred_at, e.received_at) = (at, at, at.plus(200_000));
            e.action = if n % 4 == 0 { Action::Click } else { Action::View };
            e.session_id = Some(format!("session{}", n / 20));
            e.element_id = Some(format!("element{}", n % 200));
            e.url = Some(format!("https://shop.example/products/{}", n % 500));
            e.user_agent = Some(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36".to_owned(),
            );
            e
        })
        .collect()
}

/// Writes the files into a folder; another process does it, so that its memory is not counted.
fn make_files(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for n in 0..20 {
        std::fs::write(folder.join(format!("lake{n}")), lake_file(n * 150_000, &events(n * 150_000, 150_000)))?;
    }
    for n in 0..40 {
        let first = 3_000_000 + n * 25_000;
        std::fs::write(folder.join(format!("raw{n}")), object(first, &events(first, 25_000)))?;
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    if let Some(folder) = std::env::args_os().nth(1) {
        return make_files(Path::new(&folder));
    }
    let files = std::env::temp_dir().join(format!("clickstream-files-{}", Uuid::new_v4()));
    std::process::Command::new(std::env::current_exe()?).arg(&files).status()?;
    let folder = std::env::temp_dir().join(format!("clickstream-memory-{}", Uuid::new_v4()));
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so");
    println!("before: {}", memory());
    let clickhouse = EmbeddedClickHouse::start(&folder, &library).await?;
    let warehouse = Warehouse::from_url(clickhouse.url())?;
    warehouse.migrate().await?;
    println!("started: {}", memory());
    let measured = measure(&warehouse, &files).await;
    clickhouse.shutdown().await;
    println!("stopped: {}", memory());
    std::fs::remove_dir_all(&folder)?;
    std::fs::remove_dir_all(&files)?;
    measured
}

async fn measure(warehouse: &Warehouse, files: &Path) -> Result<(), Failure> {
    let load_id = Uuid::new_v4();
    let mut busy = 0.0;
    for n in 0..20 {
        let file = std::fs::read(files.join(format!("lake{n}")))?.into();
        let begun = Instant::now();
        warehouse.insert_settled(file, load_id, 1, &format!("events/{n}")).await?;
        busy += begun.elapsed().as_secs_f64();
    }
    warehouse.commit(&Commit { version: 1, load_id, watermarks: [("log/0".to_owned(), 3_000_000)].into(), rows: 3_000_000 }).await?;
    println!("3,000,000 settled in 20 files, {busy:.1} s: {}", memory());
    let mut busy = 0.0;
    for n in 0..40 {
        let file = std::fs::read(files.join(format!("raw{n}")))?.into();
        let begun = Instant::now();
        warehouse.insert_raw(file).await?;
        busy += begun.elapsed().as_secs_f64();
    }
    println!("1,000,000 fresh in 40 objects, {busy:.1} s: {}", memory());
    let day: Day = "2026-03-10".parse()?;
    for round in 0..2 {
        for report in Report::ALL {
            let begun = Instant::now();
            let query = ReportQuery { report, site: "site1".to_owned(), from: day, to: day, path: None };
            let rows = warehouse.report(&query).await?.rows.len();
            println!("round {round}, report {}: {rows} rows in {:.3} s: {}", report.as_str(), begun.elapsed().as_secs_f64(), memory());
        }
    }
    let begun = Instant::now();
    warehouse.rebuild_marts(&[day]).await?;
    println!("marts rebuilt in {:.1} s: {}", begun.elapsed().as_secs_f64(), memory());
    for table in ["fresh", "events"] {
        let begun = Instant::now();
        warehouse.client().query(&format!("OPTIMIZE TABLE {table} FINAL")).execute().await?;
        println!("{table} merged in {:.1} s: {}", begun.elapsed().as_secs_f64(), memory());
    }
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    println!("five seconds later: {}", memory());
    Ok(())
}
