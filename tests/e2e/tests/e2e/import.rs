//! 200,000 records of four files, with repeats, with invalid, suspicious and late ones: receipts, reports and marts are
//! what DuckDB computes from the same files.

mod independent;
mod marts;
mod receipts;

use std::{collections::BTreeMap, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_event::Micros;
use clickstream_testkit::dirty;
use independent::{Expected, same_rows};
use uuid::Uuid;

const RECORDS: u64 = 200_000;
const SEED: u64 = 42;
/// Records are 0.8 s apart and up to 9 h late: all of them have happened by now, over five days at most.
const DAYS_BACK: i64 = 3;
/// What is in the log must be in reports within this time.
const SEEN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn files_come_out_as_computed_independently() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = Micros::now().plus(-DAYS_BACK * Micros::DAY);
    let dirt = dirty::write(folder.path(), "demo", SEED, RECORDS, start).expect("files are written");
    let day = |at: Micros| at.to_string()[..10].to_owned();
    let (from, to) = (day(start.plus(-9 * Micros::HOUR)), day(Micros::now()));
    let expected = Expected::compute(folder.path(), &dirt.files, &from, &to).await;
    assert_eq!(expected.receipts.values().map(|r| r.lines).sum::<u64>(), RECORDS);
    assert_eq!(expected.receipts.values().map(|r| r.rejected).sum::<u64>(), dirt.invalid);

    let data = folder.path().join("data");
    // Nothing settles by the clock: what reports say is seen before and after.
    let options = StartOptions { port: 0, environment: vec![("COMPACT_INTERVAL", "86400".to_owned())] };
    let service = Service::start(&data, &options).await;
    let files = dirt.files.iter().map(|f| f.to_str().expect("a plain name"));
    let said = service.command(["import", "--site", "demo"].into_iter().chain(files)).await.expect_success();
    receipts::check(&service, &data, &said, &expected.receipts).await;

    let once: BTreeMap<Uuid, u32> = expected.ids.iter().map(|id| (*id, 1)).collect();
    eventually(SEEN, "every distinct event is exported once", || async {
        let exported = service.exported(&from, &to).await;
        if exported == once { Ok(()) } else { Err(format!("{} of {} ids", exported.len(), once.len())) }
    })
    .await;
    check_reports(&service, &expected, "fresh").await;
    service.settle_everything().await;
    assert_eq!(service.exported(&from, &to).await, once, "settled events are exported once");
    check_reports(&service, &expected, "settled").await;
    assert!(service.terminate().await.success());
    marts::check(&data.join("clickhouse"), &expected).await;
}

async fn check_reports(service: &Service, expected: &Expected, when: &str) {
    for (name, wanted) in &expected.reports {
        let report = service.report(name, &expected.from, &expected.to).await;
        same_rows(&format!("report {name}, {when}"), &report.rows, wanted);
    }
}
