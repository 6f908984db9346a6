#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use rdkafka::ClientConfig;
use tokio::sync::watch;

use super::*;
use crate::{
    BatchLimits, Consumer as _, Log as _, LoggedRecord, Record,
    kafka::{KafkaLog, member::Member, shares::Limits, threads::Threads},
};

const KEY: Key = Key { topic: 0, partition: 0 };
const LIMITS: BatchLimits = BatchLimits { max_records: 100, max_bytes: 1 << 20, window: Duration::ZERO };

/// Between two looks.
const SOON: Duration = Duration::from_millis(5);

/// Brokers that say what they are told to.
struct Told {
    unread: Mutex<Option<Unread>>,
    looks: watch::Sender<u64>,
}

impl Told {
    fn say(&self, begin: u64, end: u64) {
        *self.unread.lock().unwrap() = Some(Unread { partition: 0, begin, end });
    }
}

#[async_trait]
impl Asked for Told {
    async fn unread(&self, _topic: &str) -> Result<Vec<Unread>, LogError> {
        self.looks.send_modify(|looks| *looks += 1);
        let unread = *self.unread.lock().unwrap();
        Ok(vec![unread.ok_or_else(|| LogError::Unavailable("away".to_owned()))?])
    }
}

struct Scene {
    told: Arc<Told>,
    shares: Arc<Shares>,
    standstill: Standstill,
}

impl Scene {
    fn new() -> Self {
        let told = Arc::new(Told { unread: Mutex::default(), looks: watch::Sender::default() });
        let shares = Arc::new(Shares::new(Limits::of(LIMITS)));
        let standstill = Standstill::new(told.clone(), Arc::from(["events".to_owned()]), SOON);
        Self { told, shares, standstill }
    }

    /// True if the member is found to stand still, and how many looks it took; false after `most` looks.
    async fn found(&mut self, most: u64) -> (bool, u64) {
        let mut looks = self.told.looks.subscribe();
        let before = *looks.borrow();
        let found = tokio::select! {
            biased;
            standing = self.standstill.found(&self.shares) => {
                assert_eq!(standing, [KEY]);
                true
            }
            // On one thread a look is judged before this is looked at.
            over = looks.wait_for(|looks| *looks >= before + most) => over.is_err(),
        };
        (found, *self.told.looks.borrow() - before)
    }

    /// The record at `offset` comes, is done and committed.
    async fn moves_past(&self, offset: u64) {
        self.shares.add(KEY, records(offset));
        self.shares.take().await.unwrap();
        self.shares.committed(KEY, offset + 1);
    }
}

fn records(offset: u64) -> Vec<LoggedRecord> {
    vec![LoggedRecord { offset, appended_at: 0, record: Record::default() }]
}

#[tokio::test]
async fn who_does_not_move_though_there_is_more_is_found_at_the_second_look() {
    let mut scene = Scene::new();
    scene.shares.assigned([KEY]);
    scene.told.say(7, 8);
    assert_eq!(scene.found(5).await, (true, 2), "nothing of it was seen: it is where the group has committed");
    scene.moves_past(7).await;
    assert!(!scene.found(5).await.0, "all is read");
    scene.told.say(8, 9);
    assert!(scene.found(5).await.0);
}

#[tokio::test]
async fn who_moves_or_works_or_cannot_know_does_not_stand_still() {
    let mut scene = Scene::new();
    scene.shares.assigned([KEY]);
    assert!(!scene.found(5).await.0, "the brokers are away");
    scene.told.say(0, 1_000);
    for offset in 0..5 {
        assert!(!scene.found(1).await.0, "it moves");
        scene.moves_past(offset).await;
    }
    scene.shares.refetch(KEY, 5, SOON);
    scene.shares.sought(KEY, 5);
    assert!(!scene.found(5).await.0, "what comes next is damaged, which is said");
    scene.shares.add(KEY, records(5));
    scene.shares.take().await.unwrap();
    assert!(!scene.found(5).await.0, "its batch is in hand");
}

#[tokio::test]
async fn who_holds_nothing_has_more_patience() {
    let mut scene = Scene::new();
    scene.told.say(3, 4);
    assert_eq!(scene.found(20).await, (true, 9));
    for begin in 3..20 {
        scene.told.say(begin, begin + 1);
        assert!(!scene.found(1).await.0, "others of the group move");
    }
}

/// Brokers that say of a topic, besides what is there, that so many more records are.
struct More {
    log: KafkaLog,
    more: AtomicU64,
}

#[async_trait]
impl Asked for More {
    async fn unread(&self, topic: &str) -> Result<Vec<Unread>, LogError> {
        let end = self.log.extents(topic).await?[0].end;
        Ok(vec![Unread { partition: 0, begin: end, end: end + self.more.load(Ordering::Relaxed) }])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_stands_still_begins_anew_where_it_was() {
    let brokers = clickstream_testkit::servers::running("KAFKA_URL", "LOG_URL");
    let url = format!("{brokers}?prefix=standstill{}.&replication=1", uuid::Uuid::new_v4().simple());
    let log = KafkaLog::open(&url).unwrap();
    log.create_topic("events", 1).await.unwrap();
    let full = log.inner.options.full("events");
    let append = async |value: &'static str| {
        log.append("events", vec![Record { value: Bytes::from_static(value.as_bytes()), ..Record::default() }]).await.unwrap();
    };
    let asked = Arc::new(More { log: log.clone(), more: AtomicU64::new(0) });
    let config: ClientConfig = log.inner.options.settings.member("standstill");
    let threads = Threads::default();
    let topics = vec![("events".to_owned(), full)];
    let every = Duration::from_millis(500);
    let mut member = Member::join(&threads, config, "standstill".to_owned(), topics, LIMITS, asked.clone(), every).unwrap();
    append("first").await;
    let batch = member.next().await.unwrap();
    member.commit("events", 0, batch.next_offset()).await.unwrap();

    asked.more.store(1, Ordering::Relaxed);
    let error = member.next().await.unwrap_err().to_string();
    assert!(error.contains("begins anew: nothing comes of events/0 though there is more to read"), "{error}");
    asked.more.store(0, Ordering::Relaxed);
    append("second").await;
    let batch = member.next().await.unwrap();
    assert_eq!(batch.records.iter().map(|logged| &*logged.record.value).collect::<Vec<_>>(), [b"second"]);
    member.commit("events", 0, batch.next_offset()).await.unwrap();
    threads.end().await;
}
