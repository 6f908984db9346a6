//! Batches of the log into a real bucket.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_event::Event;
use clickstream_land::{Land, LandError, raw_key};
use clickstream_log::{Batch, EVENTS, LoggedRecord, Record};
use clickstream_objects::{ObjectError, Objects as _};
use clickstream_testkit::{
    flaky::Flaky,
    s3::Bucket,
    sample::{click, value},
};

/// A batch of partition 2, the first record at `first`.
fn batch(first: u64, values: Vec<Vec<u8>>) -> Batch {
    let record = |(offset, value): (u64, Vec<u8>)| LoggedRecord {
        offset,
        appended_at: 1,
        record: Record { key: None, value: Bytes::from(value), headers: Vec::new() },
    };
    Batch { topic: EVENTS.to_owned(), partition: 2, records: (first..).zip(values).map(record).collect() }
}

fn clicks(ids: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    // Later ids happened earlier, on two sites: the object's order is not the log's.
    let event = |id: u64| Event { site_id: format!("site-{}", id % 2), ..click(id.into(), -i64::try_from(id).unwrap()) };
    ids.map(|id| value(&event(id))).collect()
}

fn land(bucket: &Bucket) -> Land {
    Land::new(bucket.objects.clone(), "l".to_owned())
}

/// Offsets and rows of an object, in offset order.
async fn read(bucket: &Bucket, key: &str) -> Vec<(u64, RawRow)> {
    let (_, bytes) = bucket.objects.get(key).await.unwrap();
    let batches = read_parquet(bytes).unwrap();
    let mut rows: Vec<_> = batches.iter().flat_map(|b| records(b).unwrap()).map(|r| (r.log_offset, r.row)).collect();
    rows.sort_by_key(|(offset, _)| *offset);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_comes_again_is_taken_as_done() {
    let bucket = Bucket::start().await;
    let land = land(&bucket);
    let first = land.handle(&batch(40, clicks(0..5))).await.unwrap();
    assert_eq!((first.first, first.next, first.rows), (40, 45, 5));
    assert_eq!(first.key, raw_key("l", 2, 40, 44));
    let etag = bucket.objects.head(&first.key).await.unwrap().etag;
    assert_eq!(land.handle(&batch(40, clicks(0..5))).await.unwrap(), first);
    assert_eq!(bucket.objects.head(&first.key).await.unwrap().etag, etag);
    assert_eq!(bucket.keys("raw/").await, [&*first.key]);

    let rows = read(&bucket, &first.key).await;
    for (n, (offset, row)) in rows.iter().enumerate() {
        let RawRow::Event(event) = row else { panic!("a dead letter") };
        assert_eq!((*offset, event.event_id.as_u128()), (40 + n as u64, n as u128));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_landings_at_once_leave_one_object() {
    let bucket = Bucket::start().await;
    let (one, two) = (land(&bucket), land(&bucket));
    let taken = batch(0, clicks(0..100));
    let (one, two) = tokio::join!(one.handle(&taken), two.handle(&taken));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(bucket.keys("raw/").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_cut_differently_overlaps_and_a_listing_from_any_watermark_finds_what_is_past_it() {
    let bucket = Bucket::start().await;
    let land = land(&bucket);
    for (first, ids) in [(0, 0..10), (0, 0..4), (4, 4..12)] {
        land.handle(&batch(first, clicks(ids))).await.unwrap();
    }
    let prefix = "raw/events/l/00002/";
    for watermark in 0..13_u64 {
        let after = format!("{prefix}{watermark:020}");
        let found = bucket.objects.list(prefix, Some(&after), 10).await.unwrap();
        let past = [3, 9, 11].iter().filter(|last| **last >= watermark).count();
        assert_eq!(found.len(), past, "from {watermark}");
    }
    let (whole, tail) = (read(&bucket, &raw_key("l", 2, 0, 9)).await, read(&bucket, &raw_key("l", 2, 4, 11)).await);
    assert_eq!(whole[4..], tail[..6], "an offset is the same event in every object");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_record_becomes_a_dead_letter_and_offsets_stay_whole() {
    let bucket = Bucket::start().await;
    let broken = [b"\xff\xfe\x00".to_vec(), Vec::new(), b"{\"event_id\":\"".to_vec()];
    let values = vec![value(&click(1, 0)), broken[0].clone(), broken[1].clone(), value(&click(2, 0)), broken[2].clone()];
    let landed = land(&bucket).handle(&batch(7, values)).await.unwrap();
    let rows = read(&bucket, &landed.key).await;
    assert_eq!(rows.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [7, 8, 9, 10, 11]);
    let letters: Vec<_> =
        rows.into_iter().filter_map(|(_, row)| if let RawRow::DeadLetter(bytes) = row { Some(bytes) } else { None }).collect();
    assert_eq!(letters, broken);
    assert_eq!(bucket.objects.head(&landed.key).await.unwrap().metadata["dead-letters"], "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_under_the_key_is_an_error_that_names_what_differs() {
    let bucket = Bucket::start().await;
    let land = land(&bucket);
    land.handle(&batch(0, clicks(0..3))).await.unwrap();
    let mut dead = clicks(0..3);
    dead[1] = b"no event".to_vec();
    for other in [clicks(1..4), dead] {
        let error = land.handle(&batch(0, other)).await.unwrap_err();
        assert!(matches!(&error, LandError::Different { what: "its event ids", .. }), "{error}");
        assert!(error.to_string().contains(&raw_key("l", 2, 0, 2)), "{error}");
    }
    // Written by somebody else, without what an object says of itself.
    let key = raw_key("l", 2, 10, 10);
    bucket.put(&key, "foreign").await;
    let error = land.handle(&batch(10, clicks(0..1))).await.unwrap_err();
    assert!(matches!(error, LandError::Different { what: "its log", .. }), "{error}");
    assert_eq!(bucket.objects.get(&key).await.unwrap().1, "foreign");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_pass_for_other_offsets_is_not_landed() {
    let bucket = Bucket::start().await;
    let land = land(&bucket);
    assert!(matches!(land.handle(&batch(0, Vec::new())).await, Err(LandError::Empty)));
    let mut hole = batch(5, clicks(0..4));
    hole.records.remove(2);
    let error = land.handle(&hole).await.unwrap_err();
    assert!(matches!(error, LandError::Hole { partition: 2, offset: 7 }), "{error}");
    let other = Batch { topic: "inbound".to_owned(), ..batch(0, clicks(0..1)) };
    let error = land.handle(&other).await.unwrap_err();
    assert!(error.to_string().contains("land takes the topic events, not \"inbound\""), "{error}");
    assert!(bucket.keys("").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_loses_nothing() {
    let bucket = Bucket::start().await;
    let flaky = Arc::new(Flaky::new(bucket.objects.clone()));
    let land = Land::new(flaky.clone(), "l".to_owned());
    flaky.takes_nothing.store(true, Ordering::SeqCst);
    let error = land.handle(&batch(0, clicks(0..3))).await.unwrap_err();
    assert!(matches!(error, LandError::Objects(ObjectError::Unavailable(_))), "{error}");
    assert!(bucket.keys("").await.is_empty());
    flaky.takes_nothing.store(false, Ordering::SeqCst);
    let landed = land.handle(&batch(0, clicks(0..3))).await.unwrap();
    assert_eq!(read(&bucket, &landed.key).await.len(), 3);
}
