//! Spilled on a real bucket, back into a log that fails when told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use clickstream_event::Event;
use clickstream_log::{EVENTS, LogError, REJECTED, Record, event_record};
use clickstream_objects::Objects as _;
use clickstream_spill::{Kept, PREFIX, Parcel, SpillingLog};
use clickstream_testkit::{flaky::Flaky, memory_log::MemoryLog, s3::Bucket, sample::click};
use clickstream_unspill::{Unspill, UnspillError, Unspilled};
use serde_json::{Value, json};

struct Service {
    log: Arc<MemoryLog>,
    bucket: Bucket,
    flaky: Arc<Flaky>,
    spilling: SpillingLog,
    unspill: Unspill,
}

async fn service() -> Service {
    let (log, bucket) = (Arc::new(MemoryLog::default()), Bucket::start().await);
    let flaky = Arc::new(Flaky::new(bucket.objects.clone()));
    log.away.store(true, SeqCst);
    Service {
        spilling: SpillingLog::new(log.clone()).with_bucket(flaky.clone()),
        unspill: Unspill::new(log.clone(), flaky.clone()),
        log,
        bucket,
        flaky,
    }
}

/// The event `id` of a session.
fn of_session(session: &str, id: u128) -> Event {
    Event { session_id: Some(session.into()), ..click(id, 0) }
}

fn rejection(n: u32) -> Record {
    Record { key: None, value: n.to_string().into(), headers: Vec::new() }
}

impl Service {
    /// A request of these events, which is spilled.
    async fn spill(&self, events: &[Event]) {
        let records = events.iter().map(|event| event_record(event).unwrap()).collect();
        assert_eq!(self.spilling.append(vec![Parcel { topic: EVENTS, records }]).await.unwrap(), Kept::Spilled);
    }

    /// Requests 0, 1, …, each of one event of its own.
    async fn spill_each(&self, count: u128) {
        for id in 0..count {
            self.spill(&[click(id, 0)]).await;
        }
    }

    fn back(&self) {
        self.log.away.store(false, SeqCst);
    }

    fn ids(&self) -> Vec<u128> {
        self.log.values::<Event>(EVENTS).iter().map(|event| event.event_id.as_u128()).collect()
    }

    async fn waiting(&self) -> usize {
        self.bucket.keys(PREFIX).await.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spilled_returns_once_and_each_session_in_its_order() {
    let service = service().await;
    let mut sent: BTreeMap<String, Vec<u128>> = BTreeMap::new();
    // 60 requests: more than are read together, of three sessions in turn.
    for request in 0..60_u128 {
        let session = format!("s{}", request % 3);
        let events: Vec<_> = (0..4).map(|n| of_session(&session, request * 4 + n)).collect();
        sent.entry(session).or_default().extend(events.iter().map(|event| event.event_id.as_u128()));
        service.spill(&events).await;
    }
    assert!(matches!(service.unspill.run().await, Err(UnspillError::Log(LogError::Unavailable(_)))));
    assert_eq!((service.waiting().await, service.ids().len()), (60, 0), "while the log is away all of it waits");

    service.back();
    assert_eq!(service.unspill.run().await.unwrap(), Unspilled { objects: 60, records: 240, quarantined: 0, more: false });
    let mut logged: BTreeMap<String, Vec<u128>> = BTreeMap::new();
    for event in service.log.values::<Event>(EVENTS) {
        logged.entry(event.session_id.unwrap()).or_default().push(event.event_id.as_u128());
    }
    assert_eq!(logged, sent);
    assert_eq!(service.waiting().await, 0);
    assert_eq!(service.unspill.run().await.unwrap(), Unspilled::default(), "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_topics_of_a_request_return() {
    let service = service().await;
    let events = Parcel { topic: EVENTS, records: vec![event_record(&click(1, 0)).unwrap()] };
    let rejections = Parcel { topic: REJECTED, records: vec![rejection(7), rejection(8)] };
    assert_eq!(service.spilling.append(vec![rejections, events]).await.unwrap(), Kept::Spilled);
    assert_eq!(service.waiting().await, 1);
    service.back();
    assert_eq!(service.unspill.run().await.unwrap(), Unspilled { objects: 1, records: 3, quarantined: 0, more: false });
    assert_eq!((service.ids(), service.log.values::<Value>(REJECTED)), (vec![1], vec![json!(7), json!(8)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_and_not_removed_is_removed_and_not_appended_again() {
    let service = service().await;
    service.spill_each(20).await;
    service.back();
    service.flaky.takes_nothing.store(true, SeqCst);
    let error = service.unspill.run().await.unwrap_err();
    assert!(matches!(error, UnspillError::Waiting { objects: 20, .. }), "{error}");
    assert_eq!((service.ids().len(), service.waiting().await), (20, 20));
    service.flaky.takes_nothing.store(false, SeqCst);
    service.unspill.run().await.unwrap();
    assert_eq!((service.ids(), service.waiting().await), ((0..20).collect::<Vec<_>>(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_between_append_and_removal_the_same_events_come_again_under_their_ids() {
    let service = service().await;
    service.spill_each(3).await;
    service.back();
    service.flaky.takes_nothing.store(true, SeqCst);
    assert!(service.unspill.run().await.is_err());
    service.flaky.takes_nothing.store(false, SeqCst);
    // Another process knows nothing of the first.
    Unspill::new(service.log.clone(), service.flaky.clone()).run().await.unwrap();
    assert_eq!(service.ids(), [0, 1, 2, 0, 1, 2], "as often as a client might send them; ids make them count once");
    assert_eq!(service.waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_once_follow_each_other() {
    let service = service().await;
    service.spill_each(40).await;
    service.back();
    let (one, other) = tokio::join!(service.unspill.run(), service.unspill.run());
    assert_eq!(one.unwrap().records + other.unwrap().records, 40);
    assert_eq!(service.ids(), (0..40).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_object_is_put_aside_whole_and_keeps_no_other() {
    let service = service().await;
    service.spill_each(2).await;
    let cut = service.bucket.keys(PREFIX).await[0].clone();
    let (_, bytes) = service.bucket.objects.get(&cut).await.unwrap();
    let half = bytes.slice(..bytes.len() / 2);
    service.bucket.put(&cut, half.clone()).await;
    service.bucket.put("spill/", "").await;
    service.bucket.put("spill/note.txt", "what is this?").await;
    service.back();
    assert_eq!(service.unspill.run().await.unwrap(), Unspilled { objects: 1, records: 1, quarantined: 2, more: false });
    assert_eq!(service.ids(), [1]);
    assert_eq!(service.bucket.keys(PREFIX).await, ["spill/"], "a console's folder is left alone");
    let aside = format!("quarantine/{cut}");
    assert_eq!(service.bucket.keys("quarantine/").await, [aside.clone(), "quarantine/spill/note.txt".to_owned()]);
    assert_eq!(service.bucket.objects.get(&aside).await.unwrap().1, half);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_bucket_does_not_give_keeps_no_other() {
    let service = service().await;
    service.spill_each(3).await;
    let keys = service.bucket.keys(PREFIX).await;
    *service.flaky.withheld.lock().unwrap() = Some(keys[1].clone());
    service.back();
    let error = service.unspill.run().await.unwrap_err();
    assert!(matches!(error, UnspillError::Waiting { objects: 1, .. }), "{error}");
    assert_eq!((service.ids(), service.bucket.keys(PREFIX).await), (vec![0, 2], vec![keys[1].clone()]));
    *service.flaky.withheld.lock().unwrap() = None;
    service.unspill.run().await.unwrap();
    assert_eq!((service.ids(), service.waiting().await), (vec![0, 2, 1], 0));
}
