//! Appending and reading.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use super::{Subject, everything, record, records, topic, unique, values};
use crate::{LogError, MAX_RECORD_BYTES, Record};

/// Records come back as they were appended, in their order.
pub async fn appended_records_are_read_back_in_order_with_key_value_and_headers(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let sent: Vec<Record> = (0..50)
        .map(|i| Record {
            key: (i % 3 != 0).then(|| Bytes::from(format!("key{i}"))),
            value: Bytes::from(format!("value{i}")),
            headers: (0..i % 3).map(|h| (format!("h{h}"), Bytes::from(vec![h as u8, 255]))).collect(),
        })
        .collect();
    for part in sent.chunks(7) {
        log.append(&topic, part.to_vec()).await.unwrap();
    }
    let read = everything(&log, &topic, 0).await;
    assert_eq!(read.iter().map(|r| r.offset).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    assert_eq!(read.iter().map(|r| r.record.clone()).collect::<Vec<_>>(), sent);
    assert!(read.windows(2).all(|w| w[0].appended_at <= w[1].appended_at));
    assert!(read[0].appended_at > 1_700_000_000_000_000, "microseconds: {}", read[0].appended_at);
}

/// `append` answers one position per record, in the records' order, and the record stands there.
pub async fn positions_follow_the_order_of_the_records(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 3).await;
    let sent: Vec<Record> = (0..40).map(|i| Record { key: Some(Bytes::from(format!("k{i}"))), ..record(format!("v{i}")) }).collect();
    let positions = log.append(&topic, sent.clone()).await.unwrap();
    assert_eq!(positions.len(), sent.len());
    for (position, sent) in positions.iter().zip(&sent) {
        let read = log.read(&topic, position.partition, position.offset, 1, 1 << 20).await.unwrap();
        assert_eq!((read[0].offset, &read[0].record), (position.offset, sent));
    }
    assert!(log.append(&topic, Vec::new()).await.unwrap().is_empty());
}

/// The same key goes to the same partition, in whichever call; different keys use all partitions.
pub async fn repeats_of_a_key_meet_in_one_partition(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 4).await;
    let keyed: Vec<Record> = (0..60).map(|i| Record { key: Some(Bytes::from(format!("site:{i}"))), ..record("") }).collect();
    let first = log.append(&topic, keyed.clone()).await.unwrap();
    let again = log.append(&topic, keyed.clone()).await.unwrap();
    for ((a, b), record) in first.iter().zip(&again).zip(&keyed) {
        assert_eq!(a.partition, b.partition);
        assert_eq!(a.partition, crate::partition_for(record.key.as_ref().unwrap(), 4));
    }
    assert_eq!(first.iter().map(|p| p.partition).collect::<BTreeSet<_>>().len(), 4);
}

/// Where no key says otherwise, every partition gets its share sooner or later.
pub async fn records_without_key_spread_over_all_partitions(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 3).await;
    let mut used = BTreeSet::new();
    for _ in 0..200 {
        let positions = log.append(&topic, records("r", 10)).await.unwrap();
        used.extend(positions.iter().map(|p| p.partition));
        if used.len() == 3 {
            return;
        }
    }
    panic!("only partitions {used:?} were used");
}

/// Values from nothing to the limit, and keys of any bytes.
pub async fn empty_and_large_values_and_keys_that_are_no_text_survive(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let noise: Vec<u8> = (0..MAX_RECORD_BYTES as u64 - 10).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let sent = vec![
        Record { key: Some(Bytes::new()), ..record("") },
        Record { key: Some(Bytes::from_static(&[0, 255, 254, 0])), ..record("x") },
        Record { key: None, value: Bytes::from(noise), headers: Vec::new() },
        record("after"),
    ];
    log.append(&topic, sent.clone()).await.unwrap();
    let read = everything(&log, &topic, 0).await;
    assert!(read.into_iter().map(|r| r.record).eq(sent));
}

/// All or none.
pub async fn a_record_over_the_limit_is_refused_and_nothing_of_its_batch_is_appended(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let large = Record { value: vec![b'x'; MAX_RECORD_BYTES + 1].into(), ..Record::default() };
    let error = log.append(&topic, vec![record("small"), large]).await.unwrap_err();
    assert!(matches!(error, LogError::TooLarge { size, limit } if size > limit && limit == MAX_RECORD_BYTES), "{error}");
    assert_eq!(log.extents(&topic).await.unwrap()[0].end, 0);
}

/// Appends of many callers at once: every record once, offsets whole, each caller's order kept.
pub async fn concurrent_appends_leave_no_gap_and_no_repeat(subject: Arc<dyn Subject>) {
    const CALLERS: usize = 16;
    let log = subject.log().await;
    let topic = topic(&log, 2).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (log, topic) = (log.clone(), topic.clone());
        callers.spawn(async move {
            let mut positions = Vec::new();
            for round in 0..20 {
                let sent = (0..5)
                    .map(|i| Record { key: Some(Bytes::from(format!("{caller}"))), ..record(format!("{caller}/{:04}", round * 5 + i)) })
                    .collect();
                positions.extend(log.append(&topic, sent).await.unwrap());
            }
            positions
        });
    }
    let positions: Vec<_> = callers.join_all().await.concat();
    assert_eq!(positions.iter().collect::<BTreeSet<_>>().len(), CALLERS * 100);
    let mut seen = Vec::new();
    for partition in 0..2 {
        let read = everything(&log, &topic, partition).await;
        assert!(read.iter().map(|r| r.offset).eq(0..read.len() as u64), "offsets are whole");
        seen.extend(values(&read));
    }
    let mut in_each_callers_order = seen.clone();
    in_each_callers_order.sort_by_key(|v| v.split('/').next().map(str::to_owned));
    let mut sorted = in_each_callers_order.clone();
    sorted.sort();
    assert_eq!(in_each_callers_order, sorted);
    sorted.dedup();
    assert_eq!(sorted.len(), CALLERS * 100);
}

/// Every call on a topic that was never made says so.
pub async fn an_unknown_topic_is_named(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let name = unique("never-made");
    let unknown = |e: LogError| assert!(matches!(&e, LogError::UnknownTopic(t) if *t == name), "{e}");
    unknown(log.append(&name, records("r", 1)).await.unwrap_err());
    unknown(log.read(&name, 0, 0, 1, 1).await.unwrap_err());
    unknown(log.extents(&name).await.unwrap_err());
    unknown(log.committed("g", &name).await.unwrap_err());
    unknown(log.subscribe("g", &[&name], super::at_once(1)).await.err().unwrap());
}

/// `read` keeps to its limits, and a record over `max_bytes` still comes alone.
pub async fn reads_stop_at_the_limits_but_give_at_least_one_record(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    log.append(&topic, (0..20).map(|_| record("x".repeat(100))).collect()).await.unwrap();
    let count = async |from, records, bytes| log.read(&topic, 0, from, records, bytes).await.unwrap().len();
    assert_eq!(count(0, 7, 1 << 20).await, 7);
    assert_eq!(count(15, 7, 1 << 20).await, 5);
    assert_eq!(count(0, 100, 350).await, 3);
    assert_eq!(count(0, 100, 10).await, 1);
    assert_eq!(count(20, 100, 1 << 20).await, 0, "nothing is there yet");
    assert_eq!(count(2_000, 100, 1 << 20).await, 0, "past the end");
    assert_eq!(log.read(&topic, 0, 13, 1, 1 << 20).await.unwrap()[0].offset, 13);
}
