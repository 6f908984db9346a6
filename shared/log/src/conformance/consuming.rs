//! Consumer groups.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use super::{DEADLINE, Subject, at_once, commit, next, quiet, record, records, topic, unique, values};
use crate::{BatchLimits, Consumer, Record, SharedLog};

/// A window that no check waits for.
const LONG: Duration = Duration::from_mins(10);

/// After a commit of `n` the group goes on at offset `n`, also with a new member.
pub async fn a_committed_offset_is_the_next_one_to_read(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let group = unique("group");
    assert_eq!(log.committed(&group, &topic).await.unwrap(), [(0, None)]);
    log.append(&topic, records("r", 10)).await.unwrap();
    let mut consumer = log.subscribe(&group, &[&topic], at_once(4)).await.unwrap();
    let batch = next(&mut consumer).await;
    assert_eq!(values(&batch.records), ["r0", "r1", "r2", "r3"]);
    commit(&mut consumer, &batch).await;
    assert_eq!(log.committed(&group, &topic).await.unwrap(), [(0, Some(4))]);
    assert_eq!(next(&mut consumer).await.records[0].offset, 4);
    // Only part of the batch is done.
    consumer.commit(&topic, 0, 6).await.unwrap();
    assert_eq!(next(&mut consumer).await.records[0].offset, 6);
    drop(consumer);
    let mut consumer = log.subscribe(&group, &[&topic], at_once(4)).await.unwrap();
    assert_eq!(next(&mut consumer).await.records[0].offset, 6);
}

/// Each group reads everything.
pub async fn groups_do_not_disturb_each_other(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    log.append(&topic, records("r", 5)).await.unwrap();
    for _ in 0..2 {
        let group = unique("group");
        let mut consumer = log.subscribe(&group, &[&topic], at_once(5)).await.unwrap();
        let batch = next(&mut consumer).await;
        assert_eq!(batch.records[0].offset, 0);
        commit(&mut consumer, &batch).await;
    }
}

/// One batch of a partition at a time.
pub async fn a_batch_neither_committed_nor_rewound_is_not_handed_out_again(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    log.append(&topic, records("r", 10)).await.unwrap();
    let mut consumer = log.subscribe(&unique("group"), &[&topic], at_once(5)).await.unwrap();
    let batch = next(&mut consumer).await;
    quiet(&mut consumer).await;
    commit(&mut consumer, &batch).await;
    assert_eq!(next(&mut consumer).await.records[0].offset, 5);
}

/// After a failure the same records come again.
pub async fn a_rewound_batch_is_handed_out_again(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    log.append(&topic, records("r", 10)).await.unwrap();
    let mut consumer = log.subscribe(&unique("group"), &[&topic], at_once(4)).await.unwrap();
    let first = next(&mut consumer).await;
    commit(&mut consumer, &first).await;
    for _ in 0..3 {
        let batch = next(&mut consumer).await;
        assert_eq!(values(&batch.records), ["r4", "r5", "r6", "r7"]);
        consumer.rewind(&topic, 0).await.unwrap();
    }
}

/// What a lost member held goes to another.
pub async fn a_member_that_goes_without_commit_leaves_its_batch_to_the_next(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let group = unique("group");
    log.append(&topic, records("r", 6)).await.unwrap();
    let mut lost = log.subscribe(&group, &[&topic], at_once(3)).await.unwrap();
    let batch = next(&mut lost).await;
    drop(lost);
    let mut consumer = log.subscribe(&group, &[&topic], at_once(3)).await.unwrap();
    assert_eq!(next(&mut consumer).await.records, batch.records);
}

/// `max_records` hands a batch out before the window ends.
pub async fn batches_are_cut_by_records(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let limits = BatchLimits { max_records: 10, max_bytes: 1 << 20, window: LONG };
    let mut consumer = log.subscribe(&unique("group"), &[&topic], limits).await.unwrap();
    log.append(&topic, records("r", 25)).await.unwrap();
    for first in [0, 10] {
        let batch = next(&mut consumer).await;
        assert_eq!((batch.records[0].offset, batch.records.len()), (first, 10));
        commit(&mut consumer, &batch).await;
    }
    quiet(&mut consumer).await;
    log.append(&topic, records("r", 5)).await.unwrap();
    assert_eq!(next(&mut consumer).await.records.len(), 10);
}

/// `max_bytes` hands a batch out before the window ends; a record over it comes alone.
pub async fn batches_are_cut_by_bytes(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let limits = BatchLimits { max_records: 1_000, max_bytes: 1_000, window: LONG };
    let mut consumer = log.subscribe(&unique("group"), &[&topic], limits).await.unwrap();
    log.append(&topic, (0..3).map(|_| record("x".repeat(300))).collect()).await.unwrap();
    quiet(&mut consumer).await;
    log.append(&topic, vec![record("x".repeat(300)), record("y".repeat(5_000))]).await.unwrap();
    let batch = next(&mut consumer).await;
    assert_eq!(batch.records.len(), 3, "a fourth would be over the limit");
    commit(&mut consumer, &batch).await;
    let batch = next(&mut consumer).await;
    assert_eq!(batch.records.len(), 1);
    commit(&mut consumer, &batch).await;
    let batch = next(&mut consumer).await;
    assert_eq!((batch.records.len(), batch.records[0].record.value.len()), (1, 5_000));
}

/// The window, from the first waiting record on, hands out what there is, not before.
pub async fn a_batch_is_due_when_its_window_ends(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let window = Duration::from_millis(700);
    let limits = BatchLimits { max_records: 1_000, max_bytes: 1 << 20, window };
    let mut consumer = log.subscribe(&unique("group"), &[&topic], limits).await.unwrap();
    quiet(&mut consumer).await;
    let began = Instant::now();
    log.append(&topic, records("a", 3)).await.unwrap();
    quiet(&mut consumer).await;
    log.append(&topic, records("b", 3)).await.unwrap();
    let batch = next(&mut consumer).await;
    assert_eq!(values(&batch.records), ["a0", "a1", "a2", "b0", "b1", "b2"]);
    assert!(began.elapsed() >= window, "after {:?}", began.elapsed());
    assert!(began.elapsed() < window + DEADLINE / 2, "after {:?}", began.elapsed());
}

/// A consumer sleeps until there is something.
pub async fn a_waiting_consumer_is_woken_by_an_append(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 2).await;
    let mut consumer = log.subscribe(&unique("group"), &[&topic], at_once(10)).await.unwrap();
    let waiting = tokio::spawn(async move { next(&mut consumer).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    log.append(&topic, records("r", 1)).await.unwrap();
    assert_eq!(values(&waiting.await.unwrap().records), ["r0"]);
}

/// A partition that always has more does not keep the others from their turn.
pub async fn a_consumer_reads_several_topics_and_starves_no_partition(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let (busy, calm) = (topic(&log, 1).await, topic(&log, 1).await);
    log.append(&busy, records("busy", 500)).await.unwrap();
    log.append(&calm, records("calm", 1)).await.unwrap();
    let mut consumer = log.subscribe(&unique("group"), &[&busy, &calm], at_once(5)).await.unwrap();
    let mut batches = 0;
    loop {
        let batch = next(&mut consumer).await;
        batches += 1;
        commit(&mut consumer, &batch).await;
        if batch.topic == calm {
            break;
        }
        assert!(batches < 50, "the calm topic waits for ever");
    }
}

/// Each partition is held by one member; all of them are held; who comes gets its share before long, and who goes
/// frees its own. Nothing is handed out twice while partitions change hands.
pub async fn members_of_one_group_share_the_partitions(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 4).await;
    let group = unique("group");
    let mut members =
        vec![log.subscribe(&group, &[&topic], at_once(100)).await.unwrap(), log.subscribe(&group, &[&topic], at_once(100)).await.unwrap()];
    let deadline = Instant::now() + DEADLINE;
    for round in 0.. {
        let partitions = a_round(&log, &topic, &mut members, round).await;
        if partitions.iter().all(|held| held.len() == 2) {
            break;
        }
        assert!(Instant::now() < deadline, "shares stay uneven: {partitions:?}");
    }
    drop(members.remove(0));
    let partitions = a_round(&log, &topic, &mut members, -1).await;
    assert_eq!(partitions[0].len(), 4);
}

/// Appends 400 records and has `members` consume them; returns which partitions each was handed.
async fn a_round(log: &SharedLog, topic: &str, members: &mut [Box<dyn Consumer>], round: i32) -> Vec<BTreeSet<u32>> {
    let keyed = (0..400).map(|i| Record { key: Some(format!("{i}").into()), ..record(format!("{round}/{i}")) });
    log.append(topic, keyed.collect()).await.unwrap();
    let mut seen = BTreeSet::new();
    let mut partitions = vec![BTreeSet::new(); members.len()];
    while seen.len() < 400 {
        let waits = members.iter_mut().enumerate().map(|(n, member)| Box::pin(async move { (next(member).await, n) }));
        let (batch, n) = first_of(waits.collect()).await;
        partitions[n].insert(batch.partition);
        for value in values(&batch.records) {
            assert!(value.starts_with(&format!("{round}/")) && seen.insert(value), "handed out twice");
        }
        commit(&mut members[n], &batch).await;
    }
    partitions
}

/// What is ready first; the others are given up.
async fn first_of<T>(mut waits: Vec<Pin<Box<impl Future<Output = T>>>>) -> T {
    std::future::poll_fn(|context| {
        let mut ready = waits.iter_mut().filter_map(|wait| match wait.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        });
        ready.next().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// `next` may stand in a `select!`: giving up a wait loses and repeats nothing.
pub async fn a_consumer_that_is_cancelled_while_waiting_loses_nothing(subject: Arc<dyn Subject>) {
    let log = subject.log().await;
    let topic = topic(&log, 2).await;
    let limits = BatchLimits { max_records: 30, max_bytes: 1 << 20, window: Duration::from_millis(20) };
    let mut consumer = log.subscribe(&unique("group"), &[&topic], limits).await.unwrap();
    let writer = {
        let (log, topic) = (log.clone(), topic.clone());
        tokio::spawn(async move {
            for i in 0..50 {
                log.append(&topic, records(&format!("{i}-"), 10)).await.unwrap();
            }
        })
    };
    let mut seen = BTreeSet::new();
    let deadline = Instant::now() + DEADLINE;
    while seen.len() < 500 && Instant::now() < deadline {
        let wait = tokio::time::timeout(Duration::from_millis(3), consumer.next());
        let Ok(batch) = wait.await else { continue };
        let batch = batch.unwrap();
        for value in values(&batch.records) {
            assert!(seen.insert(value), "handed out twice");
        }
        commit(&mut consumer, &batch).await;
    }
    writer.await.unwrap();
    assert_eq!(seen.len(), 500);
}

/// New partitions are consumed without subscribing again.
pub async fn a_grown_topic_is_consumed_in_all_its_partitions(subject: Arc<dyn Subject>) {
    if !subject.supports().growth {
        return;
    }
    let log = subject.log().await;
    let topic = topic(&log, 1).await;
    let mut consumer = log.subscribe(&unique("group"), &[&topic], at_once(100)).await.unwrap();
    log.append(&topic, records("r", 1)).await.unwrap();
    let batch = next(&mut consumer).await;
    commit(&mut consumer, &batch).await;
    log.create_topic(&topic, 3).await.unwrap();
    let mut seen = BTreeSet::new();
    let deadline = Instant::now() + DEADLINE;
    while seen.len() < 3 && Instant::now() < deadline {
        log.append(&topic, records("r", 30)).await.unwrap();
        let batch = next(&mut consumer).await;
        seen.insert(batch.partition);
        commit(&mut consumer, &batch).await;
    }
    assert_eq!(seen.len(), 3);
}
