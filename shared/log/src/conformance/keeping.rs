//! What lasts: records, identity, topics, and what expiry leaves.

use std::sync::Arc;

use super::{Subject, at_once, everything, record, records, topic, unique, values};
use crate::{Extent, LogError};

/// A crash after the answer loses nothing; here at least a proper close does not.
pub async fn what_was_acknowledged_is_there_after_reopening(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 2).await;
    let group = unique("group");
    log.append(&topic, records("kept", 100)).await.unwrap();
    let mut consumer = log.subscribe(&group, &[&topic], at_once(10)).await.unwrap();
    let batch = super::next(&mut consumer).await;
    super::commit(&mut consumer, &batch).await;
    drop(consumer);
    let before = log.extents(&topic).await.unwrap();
    let records_before = everything(&log, &topic, 0).await;
    drop(log);

    let log = subject.reopen().await;
    assert_eq!(log.extents(&topic).await.unwrap(), before);
    assert_eq!(everything(&log, &topic, 0).await, records_before);
    let committed = log.committed(&group, &topic).await.unwrap();
    assert_eq!(committed[batch.partition as usize], (batch.partition, Some(batch.next_offset())));
    let position = log.append(&topic, records("more", 10)).await.unwrap()[0];
    assert!(position.offset >= before[position.partition as usize].end);
}

/// The log's id is not empty and never changes.
pub async fn the_log_keeps_its_identity(subject: Arc<dyn Subject>) {
    let log_id = subject.log().await.log_id().await.unwrap();
    assert!(!log_id.is_empty());
    assert_eq!(subject.reopen().await.log_id().await.unwrap(), log_id);
}

/// `create_topic` may be called at every start, also with fewer partitions.
pub async fn creating_a_topic_again_changes_nothing(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 3).await;
    log.append(&topic, records("r", 9)).await.unwrap();
    let before = log.extents(&topic).await.unwrap();
    log.create_topic(&topic, 3).await.unwrap();
    log.create_topic(&topic, 1).await.unwrap();
    assert_eq!(log.extents(&topic).await.unwrap(), before);
}

/// More partitions: old records keep their place, new ones use all.
pub async fn raising_the_partition_count_keeps_what_is_there(subject: Arc<dyn Subject>) {
    if !subject.supports().growth {
        return;
    }
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    log.append(&topic, records("old", 10)).await.unwrap();
    log.create_topic(&topic, 4).await.unwrap();
    let extents = log.extents(&topic).await.unwrap();
    assert_eq!(extents.iter().map(|e| (e.partition, e.end)).collect::<Vec<_>>(), [(0, 10), (1, 0), (2, 0), (3, 0)]);
    for _ in 0..200 {
        log.append(&topic, records("new", 20)).await.unwrap();
        if log.extents(&topic).await.unwrap().iter().all(|e| e.end > 0) {
            break;
        }
    }
    assert!(log.extents(&topic).await.unwrap().iter().all(|e| e.end > 0));
    assert_eq!(values(&log.read(&topic, 0, 0, 10, 1 << 20).await.unwrap())[9], "old9");
}

/// Offsets below are gone, those above stay, and an emptied partition goes on where it was, also
/// after reopening.
pub async fn expired_records_are_gone_and_offsets_go_on(subject: Arc<dyn Subject>) {
    if !subject.supports().expire {
        return;
    }
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    for i in 0..10 {
        log.append(&topic, records(&format!("r{i}-"), 10)).await.unwrap();
    }
    log.expire(&topic, 0, 35).await.unwrap();
    assert_eq!(log.extents(&topic).await.unwrap(), [Extent { partition: 0, start: 35, end: 100 }]);
    let read = log.read(&topic, 0, 0, 1_000, 1 << 20).await.unwrap();
    assert_eq!((read[0].offset, read.len()), (35, 65), "a read from below begins at the first kept");
    let mut consumer = log.subscribe(&unique("group"), &[&topic], at_once(5)).await.unwrap();
    assert_eq!(super::next(&mut consumer).await.records[0].offset, 35);
    drop(consumer);

    log.expire(&topic, 0, 20).await.unwrap();
    assert_eq!(log.extents(&topic).await.unwrap()[0].start, 35, "what is gone stays gone");
    log.expire(&topic, 0, 1_000).await.unwrap();
    drop(log);
    let log = subject.reopen().await;
    assert_eq!(log.extents(&topic).await.unwrap(), [Extent { partition: 0, start: 100, end: 100 }]);
    assert!(log.read(&topic, 0, 0, 10, 1 << 20).await.unwrap().is_empty());
    assert_eq!(log.append(&topic, vec![record("next")]).await.unwrap()[0].offset, 100);
    let unknown = log.expire(&unique("never-made"), 0, 1).await.unwrap_err();
    assert!(matches!(unknown, LogError::UnknownTopic(_)));
}
