//! What compaction makes of arbitrary objects, against a reading of the promise that is as plain as can be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::AsArray as _,
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};
use clickstream_columns::{RawRow, read_parquet};
use clickstream_compact::{Compact, CompactOptions, CompactReport, CompactRequest};
use clickstream_event::Event;
use clickstream_lake::Lake;
use clickstream_testkit::sample::click;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use uuid::Uuid;

use crate::{erased::forget_gone, service::Service};

/// A record of the log: of one of a few events, so that there are many repeats; or none.
#[derive(Clone, Debug)]
struct Record {
    site: usize,
    id: u128,
    seconds: i64,
    received: i64,
    gone: bool,
    dead: bool,
}

/// One partition: its records, where objects begin, and objects that cover some of it again.
#[derive(Clone, Debug)]
struct Partition {
    records: Vec<Record>,
    cuts: BTreeSet<usize>,
    again: Vec<(usize, usize)>,
}

const SITES: [&str; 3] = ["shop", "blog", "a site with a longer name"];

fn record() -> impl Strategy<Value = Record> {
    let dead = prop::bool::weighted(0.05);
    let gone = prop::bool::weighted(0.1);
    (0..SITES.len(), 0..40_u128, 0..3_000_i64, 0..50_i64, gone, dead).prop_map(|(site, id, seconds, received, gone, dead)| Record {
        site,
        id,
        seconds,
        received,
        gone,
        dead,
    })
}

fn partition() -> impl Strategy<Value = Partition> {
    prop::collection::vec(record(), 1..80).prop_flat_map(|records| {
        let count = records.len();
        let cuts = prop::collection::btree_set(1..=count, 0..6);
        let again = prop::collection::vec((0..count, 1..20_usize), 0..3);
        (Just(records), cuts, again).prop_map(|(records, cuts, again)| Partition { records, cuts, again })
    })
}

/// The event of a record; its name says its place, so that a row of mixed columns is found out.
fn event(record: &Record, place: (u32, u64)) -> Event {
    let at = click(record.id, record.seconds);
    Event {
        site_id: SITES[record.site].to_owned(),
        name: Some(format!("{}/{}", place.0, place.1)),
        x: Some(place.1 as i32),
        received_at: at.received_at.plus(record.received),
        user_id: record.gone.then(|| "gone".to_owned()),
        warnings: if place.1.is_multiple_of(3) { vec!["skewed".to_owned(), format!("w{}", place.1)] } else { Vec::new() },
        ..at
    }
}

fn row(record: &Record, place: (u32, u64)) -> (u64, RawRow) {
    let row = if record.dead { RawRow::DeadLetter(b"?".to_vec()) } else { RawRow::Event(Box::new(event(record, place))) };
    (place.1, row)
}

async fn land(service: &Service, partitions: &[Partition]) {
    for (number, partition) in (0..).zip(partitions) {
        let rows: Vec<_> = (0..).zip(&partition.records).map(|(offset, record)| row(record, (number, offset))).collect();
        let mut begin = 0;
        for end in partition.cuts.iter().copied().chain([rows.len()]) {
            if begin < end.min(rows.len()) {
                service.bucket.land("l", number, &rows[begin..end.min(rows.len())]).await;
                begin = end;
            }
        }
        for (from, count) in &partition.again {
            service.bucket.land("l", number, &rows[*from..rows.len().min(from + count)]).await;
        }
    }
}

/// Identity to the place of the copy that stays, as the promise says it: the lowest (`received_at`, partition, offset).
fn kept(partitions: &[Partition]) -> BTreeMap<(String, u128), (u32, u64)> {
    /// When a copy was received, and its place.
    type Copy = (i64, u32, u64);
    let mut copies: BTreeMap<(String, u128), BTreeSet<Copy>> = BTreeMap::new();
    for (number, partition) in (0..).zip(partitions) {
        for (offset, record) in (0..).zip(&partition.records) {
            if !record.dead && !record.gone {
                let event = event(record, (number, offset));
                copies.entry((event.site_id, record.id)).or_default().insert((event.received_at.0, number, offset));
            }
        }
    }
    copies.into_iter().map(|(identity, copies)| (identity, copies.first().map(|(_, p, o)| (*p, *o)).unwrap())).collect()
}

/// Rows of the lake by identity; every file must be in order, and every row whole.
async fn found(service: &Service, partitions: &[Partition]) -> BTreeMap<(String, u128), (u32, u64)> {
    let mut found = BTreeMap::new();
    for file in service.snapshot().await.files {
        let mut last = None;
        for batch in read_parquet(service.lake.read_file(&file.path).await.unwrap()).unwrap() {
            let text = |name: &str, row: usize| batch[name].as_string::<i32>().value(row).to_owned();
            for row in 0..batch.num_rows() {
                let place = (
                    batch["log_partition"].as_primitive::<Int32Type>().value(row) as u32,
                    batch["log_offset"].as_primitive::<Int64Type>().value(row) as u64,
                );
                let id = text("event_id", row).parse::<Uuid>().unwrap().as_u128();
                let original_at = batch["original_at"].as_primitive::<TimestampMicrosecondType>().value(row);
                let expected = event(&partitions[place.0 as usize].records[place.1 as usize], place);
                assert_eq!(
                    (&text("site_id", row), id, original_at),
                    (&expected.site_id, expected.event_id.as_u128(), expected.original_at.0)
                );
                assert_eq!(
                    (text("name", row), batch["x"].as_primitive::<Int32Type>().value(row)),
                    (expected.name.unwrap(), place.1 as i32)
                );
                let list = batch["warnings"].as_list::<i32>().value(row);
                assert_eq!(list.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), expected.warnings);
                let key = Some((text("site_id", row), original_at, id));
                assert!(last < key, "{last:?} stands before {key:?}");
                last = key;
                assert!(found.insert((expected.site_id, id), place).is_none(), "{id} stands twice");
            }
        }
    }
    found
}

async fn compacted(partitions: &[Partition], memory: u64, threads: usize) -> (Service, CompactReport) {
    let service = Service::start().await;
    forget_gone(&service, &SITES).await;
    land(&service, partitions).await;
    let lake = Arc::new(Lake::open(service.bucket.config()).await.unwrap());
    let compact = Compact::new(service.bucket.objects.clone(), lake, "l".to_owned()).with_options(CompactOptions { memory, threads });
    let report = compact.run(CompactRequest::default()).await.unwrap();
    (service, report)
}

async fn check(partitions: &[Partition]) {
    let records = || partitions.iter().flat_map(|p| &p.records);
    let kept = kept(partitions);
    // All in one commit, then an object at a time.
    for (memory, threads) in [(1 << 30, 2), (1, 1)] {
        let (service, report) = compacted(partitions, memory, threads).await;
        let found = found(&service, partitions).await;
        assert_eq!(report.gaps, []);
        assert_eq!(report.dead_letters, records().filter(|r| r.dead).count() as u64);
        assert_eq!(report.erased, records().filter(|r| !r.dead && r.gone).count() as u64);
        assert_eq!(report.rows + report.duplicates + report.dead_letters + report.erased, records().count() as u64);
        let ends: BTreeMap<_, _> = (0..).zip(partitions).map(|(n, p)| (format!("l/{n}"), p.records.len() as u64)).collect();
        assert_eq!(report.watermarks.values().max(), ends.values().max());
        if memory > 1 {
            assert_eq!((report.commits, &found), (1, &kept));
        } else {
            // The first committed copy stays: which one that is hangs on the commits.
            assert!(found.keys().eq(kept.keys()));
        }
        assert_eq!(service.snapshot().await.watermarks, ends);
        assert_eq!(service.run().await.commits, 0);
    }
}

#[test]
fn compaction_keeps_what_the_promise_says_however_objects_are_cut() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..Config::default() });
    let partitions = prop::collection::vec(partition(), 1..4);
    runner
        .run(&partitions, |partitions| {
            runtime.block_on(check(&partitions));
            Ok(())
        })
        .unwrap();
}
