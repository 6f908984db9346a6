//! A log that fails when told to, and a real bucket.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use clickstream_log::{EVENTS, LogError, MAX_RECORD_BYTES, REJECTED, Record};
use clickstream_objects::Objects as _;
use clickstream_spill::{KeepError, Kept, PREFIX, Parcel, SpillingLog, decode};
use clickstream_testkit::{flaky::Flaky, memory_log::MemoryLog, s3::Bucket};
use serde_json::{Value, json};

struct Service {
    log: Arc<MemoryLog>,
    bucket: Bucket,
    flaky: Arc<Flaky>,
    spilling: SpillingLog,
}

async fn service() -> Service {
    let (log, bucket) = (Arc::new(MemoryLog::default()), Bucket::start().await);
    let flaky = Arc::new(Flaky::new(bucket.objects.clone()));
    let spilling = SpillingLog::new(log.clone()).with_bucket(flaky.clone());
    Service { log, bucket, flaky, spilling }
}

fn records(values: &[u32]) -> Vec<Record> {
    values.iter().map(|n| Record { key: Some(format!("shop:{n}").into()), value: n.to_string().into(), headers: Vec::new() }).collect()
}

/// A rejection and an event, as one request may have.
fn both(n: u32) -> Vec<Parcel> {
    vec![Parcel { topic: REJECTED, records: records(&[n]) }, Parcel { topic: EVENTS, records: records(&[n, n + 1]) }]
}

impl Service {
    async fn spilled(&self) -> Vec<Vec<Parcel>> {
        let mut objects = Vec::new();
        for key in self.bucket.keys(PREFIX).await {
            objects.push(decode(&self.bucket.objects.get(&key).await.unwrap().1).unwrap());
        }
        objects
    }

    fn logged(&self) -> usize {
        self.log.values::<Value>(EVENTS).len() + self.log.values::<Value>(REJECTED).len()
    }

    fn calls(&self) -> u64 {
        self.log.calls.load(SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_answers_takes_everything_and_the_bucket_nothing() {
    let service = service().await;
    assert_eq!(service.spilling.append(both(1)).await.unwrap(), Kept::Logged);
    assert_eq!(service.log.values::<Value>(EVENTS), [json!(1), json!(2)]);
    assert!(service.spilled().await.is_empty());
    assert_eq!(service.spilling.append(Vec::new()).await.unwrap(), Kept::Logged);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_holds_is_spilled_together_and_the_log_is_left_alone_for_a_second() {
    let service = service().await;
    for away in [&service.log.away, &service.log.full] {
        let before = service.calls();
        away.store(true, SeqCst);
        for n in 0..3 {
            assert_eq!(service.spilling.append(both(n)).await.unwrap(), Kept::Spilled);
        }
        assert_eq!(service.calls() - before, 1, "only the first was tried");
        away.store(false, SeqCst);
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        assert_eq!(service.spilling.append(both(9)).await.unwrap(), Kept::Logged);
        service.spilling.is_back().await;
    }
    let expected: Vec<_> = (0..3).chain(0..3).map(both).collect();
    assert_eq!(service.spilled().await, expected, "an object a request, in the order of the requests");
}

#[tokio::test]
async fn a_log_that_never_answers_is_unreachable() {
    let service = service().await;
    service.log.hangs.store(true, SeqCst);
    let began = std::time::Instant::now();
    assert_eq!(service.spilling.append(both(1)).await.unwrap(), Kept::Spilled);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(service.spilled().await, [both(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_where_both_are_gone_and_the_log_is_asked_last() {
    let service = service().await;
    service.log.away.store(true, SeqCst);
    service.flaky.takes_nothing.store(true, SeqCst);
    for _ in 0..3 {
        let error = service.spilling.append(both(1)).await.unwrap_err();
        assert!(matches!(&error, KeepError::Both { log: LogError::Unavailable(_), .. }), "{error}");
        assert!(error.to_string().contains("nor did the bucket"), "{error}");
    }
    assert_eq!((service.logged(), service.spilled().await.len()), (0, 0));
    // A bucket that is gone alone costs nobody a request.
    service.log.away.store(false, SeqCst);
    assert_eq!(service.spilling.append(both(1)).await.unwrap(), Kept::Logged);
    assert_eq!(service.logged(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_failure_of_the_log() {
    let service = service().await;
    let large = Record { value: vec![b'1'; MAX_RECORD_BYTES + 1].into(), ..Record::default() };
    let parcel = Parcel { topic: EVENTS, records: vec![large] };
    let error = service.spilling.append(vec![parcel]).await.unwrap_err();
    assert!(matches!(error, KeepError::Log(LogError::TooLarge { .. })), "{error}");
    assert!(service.spilled().await.is_empty());
    assert_eq!(service.spilling.append(both(1)).await.unwrap(), Kept::Logged, "the next one is not kept waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bucket_the_log_alone_decides() {
    let log = Arc::new(MemoryLog::default());
    let alone = SpillingLog::new(log.clone());
    log.away.store(true, SeqCst);
    assert!(matches!(alone.append(both(1)).await, Err(KeepError::Log(LogError::Unavailable(_)))));
    log.away.store(false, SeqCst);
    assert_eq!(alone.append(both(1)).await.unwrap(), Kept::Logged);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_an_earlier_try_wrote_is_written() {
    let service = service().await;
    service.log.away.store(true, SeqCst);
    service.flaky.answers_twice.store(true, SeqCst);
    assert_eq!(service.spilling.append(both(1)).await.unwrap(), Kept::Spilled);
    assert_eq!(service.spilled().await, [both(1)]);
}
