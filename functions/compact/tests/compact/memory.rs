//! A commit takes as many objects as its memory allows.

use clickstream_columns::{RawRow, raw_batch, write_raw_object};
use clickstream_compact::{CompactError, CompactOptions, CompactRequest};
use clickstream_event::Event;
use clickstream_testkit::sample::{click, rows};

use crate::service::Service;

fn clicks(ids: std::ops::Range<u128>) -> Vec<Event> {
    ids.map(|id| click(id, 0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn less_memory_makes_more_commits_and_the_same_lake() {
    let service = Service::start().await;
    for object in 0..6_u64 {
        for partition in 0..2_u32 {
            // Each object repeats ten events of the one before, of the other partition.
            let from = (object * 2 + u64::from(partition)) * 100;
            service.land(partition, object * 110, &clicks(u128::from(from)..u128::from(from) + 110)).await;
        }
    }
    let small = CompactOptions { memory: 60_000, threads: 2 };
    let report = service.compaction().await.with_options(small).run(CompactRequest::default()).await.unwrap();
    assert!((3..=12).contains(&report.commits), "{} commits", report.commits);
    assert_eq!((report.rows, report.duplicates, report.more), (1_210, 110, false));
    assert_eq!(service.ids().await, (0..1_210).collect::<Vec<_>>());
    assert_eq!(report.watermarks, [("l/0".to_owned(), 660), ("l/1".to_owned(), 660)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_says_other_offsets_than_its_rows_is_named() {
    let service = Service::start().await;
    for (partition, first) in [(0, 5), (1, 0)] {
        let rows: Vec<(u64, RawRow)> = rows(first, &clicks(0..2));
        let bytes = write_raw_object(&raw_batch("l", partition, &rows).unwrap()).unwrap();
        let key = "raw/events/l/00000/00000000000000000001-00000000000000000000.parquet";
        service.bucket.put(key, bytes).await;
        let error = service.compaction().await.run(CompactRequest::default()).await.unwrap_err();
        assert!(matches!(&error, CompactError::Raw { .. }), "{error}");
        assert!(error.to_string().contains(&format!("it is offset {first} of partition {partition}")), "{error}");
        assert_eq!(service.snapshot().await.version, 0);
    }
}
