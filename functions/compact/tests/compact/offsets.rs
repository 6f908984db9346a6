//! Which offsets are compacted, and how often.

use crate::service::Service;
use clickstream_columns::RawRow;
use clickstream_compact::{CompactError, CompactReport, CompactRequest, Gap};
use clickstream_event::Event;
use clickstream_testkit::sample::{click, rows};

fn clicks(ids: std::ops::Range<u128>) -> Vec<Event> {
    ids.map(|id| click(id, 0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_offsets_from_the_watermark_on_are_appended() {
    let service = Service::start().await;
    service.land(0, 0, &clicks(0..5)).await;
    assert_eq!(service.run().await.rows, 5);
    // A batch cut differently on a retry brings three offsets again and three new ones.
    service.land(0, 2, &clicks(2..8)).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.duplicates, report.version), (3, 0, 2));
    assert_eq!(service.snapshot().await.watermarks, [("l/0".to_owned(), 8)].into());
    let places: Vec<_> = service.rows().await.into_iter().map(|(id, partition, offset)| (id, (partition, offset))).collect();
    assert_eq!(places, (0..8).map(|n| (n, (0, n as i64))).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_stops_its_partition_and_is_reported() {
    let service = Service::start().await;
    service.land(0, 0, &clicks(0..3)).await;
    service.land(0, 5, &clicks(5..7)).await;
    // Offset 0 is missing from the beginning.
    service.land(1, 1, &clicks(21..23)).await;
    service.land(2, 0, &clicks(30..32)).await;
    let report = service.run().await;
    assert_eq!(report.gaps, [Gap { partition: 0, at: 3 }, Gap { partition: 1, at: 0 }]);
    assert_eq!(report.watermarks, [("l/0".to_owned(), 3), ("l/2".to_owned(), 2)].into());
    assert_eq!(service.run().await, CompactReport { commits: 0, rows: 0, ..report });
    service.land(0, 3, &clicks(3..5)).await;
    service.land(1, 0, &clicks(20..21)).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.gaps), (7, vec![]));
    assert_eq!(service.ids().await, (0..7).chain(20..23).chain(30..32).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_do_not_reach_the_lake_and_hold_up_nothing() {
    let service = Service::start().await;
    let mut landed = rows(0, &clicks(0..3));
    landed[1].1 = RawRow::DeadLetter(b"\xff".to_vec());
    service.bucket.land("l", 0, &landed).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.dead_letters), (2, 1));
    service.bucket.land("l", 0, &[(3, RawRow::DeadLetter(Vec::new()))]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.dead_letters, report.commits), (0, 1, 1));
    assert_eq!(service.snapshot().await.watermarks, [("l/0".to_owned(), 4)].into());
    assert_eq!(service.ids().await, [0, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_anything_new_does_nothing() {
    let service = Service::start().await;
    assert_eq!(service.run().await, CompactReport::default());
    service.land(0, 0, &clicks(0..3)).await;
    let compaction = service.compaction().await;
    let first = compaction.run(CompactRequest::default()).await.unwrap();
    assert_eq!((first.version, first.commits, first.rows), (1, 1, 3));
    let second = compaction.run(CompactRequest::default()).await.unwrap();
    assert_eq!(second, CompactReport { commits: 0, rows: 0, ..first.clone() });
    assert_eq!(service.run().await, second);
    assert_eq!(service.snapshot().await.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_the_partitions_it_was_asked_for_and_no_other_log() {
    let service = Service::start().await;
    for partition in [0, 3, 11] {
        service.land(partition, 0, &clicks(u128::from(partition) * 10..u128::from(partition) * 10 + 2)).await;
    }
    service.bucket.land("other", 0, &rows(0, &clicks(900..903))).await;
    service.bucket.put("raw/events/l/00003/readme.txt", "not ours").await;
    let request = CompactRequest { partitions: Some(vec![3, 7]) };
    let report = service.compaction().await.run(request).await.unwrap();
    assert_eq!((report.rows, report.watermarks), (2, [("l/3".to_owned(), 2)].into()));
    assert_eq!(service.run().await.rows, 4);
    assert_eq!(service.ids().await, [0, 1, 30, 31, 110, 111]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_is_named_and_nothing_is_committed() {
    let service = Service::start().await;
    let broken = service.bucket.put("raw/events/l/00000/00000000000000000004-00000000000000000000.parquet", "PAR1").await;
    let error = service.compaction().await.run(CompactRequest::default()).await.unwrap_err();
    assert!(matches!(&error, CompactError::Raw { key, .. } if *key == broken.key), "{error}");
    assert_eq!(service.snapshot().await.version, 0);
}
