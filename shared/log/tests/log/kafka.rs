//! What tests on Kafka have in common.

use std::time::{Duration, Instant};

use bytes::Bytes;
use clickstream_log::{Batch, BatchLimits, Consumer, Log, LogError, LoggedRecord, Record, kafka::KafkaLog};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use uuid::Uuid;

/// Longest wait for what must happen.
pub const DEADLINE: Duration = Duration::from_mins(1);
pub const TOPIC: &str = "events";

/// The address of the broker that tests share: topics and groups are told apart by a prefix.
pub fn shared() -> String {
    clickstream_testkit::servers::running("KAFKA_URL", "LOG_URL")
}

/// `url` with a prefix that nothing else uses, and more options.
pub fn private(url: &str, options: &str) -> String {
    let url = if url.contains('?') { format!("{url}&") } else { format!("{url}?") };
    format!("{url}prefix=t{}.&{options}", Uuid::new_v4().simple())
}

/// A log of its own at `address`, with a topic [`TOPIC`] of `partitions`, and its URL.
pub async fn log(address: &str, partitions: u32) -> (KafkaLog, String) {
    let url = private(address, "replication=1");
    let log = KafkaLog::open(&url).unwrap();
    log.create_topic(TOPIC, partitions).await.unwrap();
    (log, url)
}

/// A client for what the port does not do.
pub fn admin(url: &str) -> AdminClient<DefaultClientContext> {
    let brokers = url.strip_prefix("kafka://").unwrap().split('?').next().unwrap();
    ClientConfig::new().set("bootstrap.servers", brokers).set("allow.auto.create.topics", "false").create().unwrap()
}

/// Deletes the topics with the prefix of `url`.
pub async fn tidy(url: &str) {
    let (admin, prefix) = (admin(url), full(url, ""));
    let topics: Vec<String> = {
        let metadata = admin.inner().fetch_metadata(None, DEADLINE).unwrap();
        metadata.topics().iter().map(|topic| topic.name().to_owned()).filter(|name| name.starts_with(&prefix)).collect()
    };
    delete(&admin, &topics.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// Deletes topics by their full names.
pub async fn delete(admin: &AdminClient<DefaultClientContext>, topics: &[&str]) {
    if !topics.is_empty() {
        for deleted in admin.delete_topics(topics, &AdminOptions::new().operation_timeout(Some(DEADLINE))).await.unwrap() {
            deleted.unwrap();
        }
    }
}

/// The name that `topic` has on the cluster.
pub fn full(url: &str, topic: &str) -> String {
    let prefix = url.split("prefix=").nth(1).unwrap().split('&').next().unwrap();
    format!("{prefix}{topic}")
}

pub fn record(key: &str, value: impl Into<String>) -> Record {
    Record { key: Some(Bytes::from(key.to_owned())), value: Bytes::from(value.into()), headers: Vec::new() }
}

/// Letters without a pattern, so that compression leaves three quarters of them.
pub fn text(bytes: usize) -> String {
    let mut state = Uuid::new_v4().as_u128() as u64 | 1;
    let mut letter = || {
        // xorshift64, by George Marsaglia.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..bytes).map(|_| letter()).collect()
}

/// Everything that a partition holds.
pub async fn everything(log: &KafkaLog, topic: &str, partition: u32) -> Vec<LoggedRecord> {
    let extent = log.extents(topic).await.unwrap()[partition as usize];
    let (mut all, mut from) = (Vec::new(), extent.start);
    while from < extent.end {
        let page = log.read(topic, partition, from, 10_000, 8 << 20).await.unwrap();
        assert_eq!(page.first().map(|r| r.offset), Some(from), "a hole");
        from = page.last().unwrap().offset + 1;
        all.extend(page);
    }
    all
}

pub fn at_once(max_records: usize) -> BatchLimits {
    BatchLimits { max_records, max_bytes: 8 << 20, window: Duration::ZERO }
}

pub async fn next(consumer: &mut Box<dyn Consumer>) -> Batch {
    let until = Instant::now() + DEADLINE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, consumer.next()).await.expect("a batch in time") {
            Ok(batch) => return batch,
            // A consumer tells of an outage and goes on.
            Err(LogError::Unavailable(why)) => println!("meanwhile: {why}"),
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn commit(consumer: &mut Box<dyn Consumer>, batch: &Batch) -> Result<(), LogError> {
    consumer.commit(&batch.topic, batch.partition, batch.next_offset()).await
}

pub fn values(records: &[LoggedRecord]) -> Vec<String> {
    records.iter().map(|r| String::from_utf8_lossy(&r.record.value).into_owned()).collect()
}

/// Runs librdkafka's log lines to where a failing test shows them.
pub fn show_logs() {
    drop(tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::INFO).try_init());
}
