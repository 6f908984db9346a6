//! What every log must do, as checks that any adapter's tests can run.
//!
//! A [`Subject`] hands out the log under test; [`all`] runs every check against it, each on topics
//! and groups of its own, so that a shared server may be the subject.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "checks fail by panicking")]

mod appending;
mod consuming;
mod keeping;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

pub use appending::*;
pub use consuming::*;
pub use keeping::*;

use crate::{Batch, BatchLimits, Consumer, LoggedRecord, Record, SharedLog};

/// Longest wait for what must happen.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// How long is watched for what must not happen.
pub const QUIET: Duration = Duration::from_millis(300);

/// The log under test.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// A handle to the log.
    async fn log(&self) -> SharedLog;

    /// A handle that was opened after all others were closed, on the same data: what it shows was
    /// durable.
    async fn reopen(&self) -> SharedLog;

    /// What the adapter can do beyond the least.
    fn supports(&self) -> Supports;
}

/// Abilities that a log may lack.
#[derive(Clone, Copy, Debug)]
pub struct Supports {
    /// [`crate::Log::expire`] forgets records at once. On Kafka retention may do it instead.
    pub expire: bool,
    /// The partition count of a topic in use can be raised.
    pub growth: bool,
}

/// One check.
pub type Check = fn(Arc<dyn Subject>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        /// Every check with its name.
        pub const CHECKS: &[(&str, Check)] = &[$((stringify!($name), |s| Box::pin($name(s)))),+];
    };
}

checks! {
    appended_records_are_read_back_in_order_with_key_value_and_headers,
    positions_follow_the_order_of_the_records,
    repeats_of_a_key_meet_in_one_partition,
    records_without_key_spread_over_all_partitions,
    empty_and_large_values_and_keys_that_are_no_text_survive,
    a_record_over_the_limit_is_refused_and_nothing_of_its_batch_is_appended,
    concurrent_appends_leave_no_gap_and_no_repeat,
    an_unknown_topic_is_named,
    reads_stop_at_the_limits_but_give_at_least_one_record,
    what_was_acknowledged_is_there_after_reopening,
    the_log_keeps_its_identity,
    creating_a_topic_again_changes_nothing,
    raising_the_partition_count_keeps_what_is_there,
    expired_records_are_gone_and_offsets_go_on,
    a_committed_offset_is_the_next_one_to_read,
    groups_do_not_disturb_each_other,
    a_batch_neither_committed_nor_rewound_is_not_handed_out_again,
    a_rewound_batch_is_handed_out_again,
    a_member_that_goes_without_commit_leaves_its_batch_to_the_next,
    batches_are_cut_by_records,
    batches_are_cut_by_bytes,
    a_batch_is_due_when_its_window_ends,
    a_waiting_consumer_is_woken_by_an_append,
    a_consumer_reads_several_topics_and_starves_no_partition,
    members_of_one_group_share_the_partitions,
    a_consumer_that_is_cancelled_while_waiting_loses_nothing,
    a_grown_topic_is_consumed_in_all_its_partitions,
}

/// Runs every check against `subject` and panics with the names of all that failed.
///
/// # Panics
/// If a check fails.
pub async fn all(subject: Arc<dyn Subject>) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        if tokio::spawn(check(Arc::clone(&subject))).await.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{} of {} checks failed: {failed:#?}", failed.len(), CHECKS.len());
}

/// A name that nothing else uses.
fn unique(what: &str) -> String {
    format!("{what}-{}", Uuid::new_v4())
}

/// A topic of its own.
async fn topic(log: &SharedLog, partitions: u32) -> String {
    let name = unique("topic");
    log.create_topic(&name, partitions).await.unwrap();
    name
}

/// A record with a value and no key.
fn record(value: impl Into<String>) -> Record {
    Record { value: Bytes::from(value.into()), ..Record::default() }
}

/// `count` records, `prefix` and their number as value.
fn records(prefix: &str, count: usize) -> Vec<Record> {
    (0..count).map(|i| record(format!("{prefix}{i}"))).collect()
}

/// Everything a partition holds.
async fn everything(log: &SharedLog, topic: &str, partition: u32) -> Vec<LoggedRecord> {
    let extent = log.extents(topic).await.unwrap()[partition as usize];
    let mut all = Vec::new();
    let mut from = extent.start;
    while from < extent.end {
        let read = log.read(topic, partition, from, 1_000, 1 << 20).await.unwrap();
        assert!(!read.is_empty(), "nothing at offset {from} of {extent:?}");
        from = read.last().unwrap().offset + 1;
        all.extend(read);
    }
    all
}

fn values(records: &[LoggedRecord]) -> Vec<String> {
    records.iter().map(|r| String::from_utf8_lossy(&r.record.value).into_owned()).collect()
}

/// Limits that hand out what is there without waiting.
fn at_once(max_records: usize) -> BatchLimits {
    BatchLimits { max_records, max_bytes: 1 << 20, window: Duration::ZERO }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Batch {
    tokio::time::timeout(DEADLINE, consumer.next()).await.expect("a batch in time").unwrap()
}

async fn commit(consumer: &mut Box<dyn Consumer>, batch: &Batch) {
    consumer.commit(&batch.topic, batch.partition, batch.next_offset()).await.unwrap();
}

/// Panics if a batch comes where none may.
async fn quiet(consumer: &mut Box<dyn Consumer>) {
    let came = tokio::time::timeout(QUIET, consumer.next()).await;
    assert!(came.is_err(), "a batch came that must not: {came:?}");
}
