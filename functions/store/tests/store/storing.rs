//! Batches of the log into a real event store.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::{Event, Logged, Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_log::{Batch, EVENTS, INBOUND, LoggedRecord, REJECTED, Record};
use clickstream_store::{CopyAt, Cursor, ErasedEvent, EventStore, Expired, Found, LoggedRejection, Person, Retention, StoreError, Which};
use clickstream_store_events::{StoreEvents, StoreEventsError};
use uuid::Uuid;

fn event(id: u128, received_at: i64) -> Vec<u8> {
    let event = serde_json::json!({
        "event_id": Uuid::from_u128(id), "site_id": "shop", "action": "custom", "name": "n", "user_id": "u",
        "original_at": Micros(1), "occurred_at": Micros(1), "received_at": Micros(received_at), "source": "http", "verdict": "valid"
    });
    serde_json::to_vec(&serde_json::from_value::<Event>(event).unwrap()).unwrap()
}

fn rejection() -> Vec<u8> {
    let rejection = Rejection {
        site_id: Some("shop".to_owned()),
        event_id: Some(Uuid::from_u128(9)),
        message_id: None,
        received_at: Micros::now(),
        source: Source::Http,
        shape: Shape::Segment,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
        original: "{}".to_owned(),
    };
    serde_json::to_vec(&rejection).unwrap()
}

fn batch(topic: &str, partition: u32, first: u64, values: Vec<Vec<u8>>) -> Batch {
    let record = |(n, value): (usize, Vec<u8>)| LoggedRecord {
        offset: first + n as u64,
        appended_at: 1,
        record: Record { key: None, value: value.into(), headers: Vec::new() },
    };
    Batch { topic: topic.to_owned(), partition, records: values.into_iter().enumerate().map(record).collect() }
}

#[tokio::test]
async fn a_batch_and_its_repeat_are_stored_once_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = clickstream_store::connect(&format!("sqlite:{}", folder.path().display()), Retention::default()).await.unwrap();
    let function = StoreEvents::new(store.clone());
    for _ in 0..2 {
        function.handle(&batch(EVENTS, 2, 40, vec![event(1, 5), b"{}".to_vec(), b"\xff".to_vec(), event(2, 5)])).await.unwrap();
        function.handle(&batch(REJECTED, 0, 7, vec![b"no rejection".to_vec(), rejection()])).await.unwrap();
    }
    assert_eq!(store.count().await.unwrap(), Some(2));
    let Some(Found::Event(logged)) = store.find(Some("shop"), Uuid::from_u128(2)).await.unwrap() else { panic!("not stored") };
    assert_eq!((logged.log_partition, logged.log_offset), (2, 43));
    let Some(Found::Rejected(logged)) = store.find(None, Uuid::from_u128(9)).await.unwrap() else { panic!("not stored") };
    assert_eq!((logged.log_partition, logged.log_offset), (0, 8));
    assert_eq!(store.rejections(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_topic_is_an_error_that_says_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let store = clickstream_store::connect(&format!("sqlite:{}", folder.path().display()), Retention::default()).await.unwrap();
    let error = StoreEvents::new(store).handle(&batch(INBOUND, 0, 0, vec![event(1, 5)])).await.unwrap_err();
    assert!(error.to_string().contains("events and rejected"), "{error}");
}

/// A store that takes nothing.
struct Full;

#[async_trait]
impl EventStore for Full {
    async fn put_events(&self, _: &[Logged]) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }
    async fn put_rejections(&self, _: &[LoggedRejection]) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }
    async fn find(&self, _: Option<&str>, _: Uuid) -> Result<Option<Found>, StoreError> {
        Err(StoreError::Full)
    }
    async fn copies(&self, _: &str, _: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        Err(StoreError::Full)
    }
    async fn note_erased(&self, _: &[ErasedEvent]) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }
    async fn timeline(&self, _: &str, _: &Person, _: Option<Cursor>, _: usize) -> Result<Vec<Logged>, StoreError> {
        Err(StoreError::Full)
    }
    async fn rejections(&self, _: Option<&str>, _: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        Err(StoreError::Full)
    }
    async fn count(&self) -> Result<Option<u64>, StoreError> {
        Err(StoreError::Full)
    }
    async fn erase(&self, _: &str, _: &Person, _: Micros) -> Result<u64, StoreError> {
        Err(StoreError::Full)
    }
    async fn erase_rejections(&self, _: &str, _: Which) -> Result<u64, StoreError> {
        Err(StoreError::Full)
    }
    async fn expire(&self, _: Micros, _: Micros) -> Result<Expired, StoreError> {
        Err(StoreError::Full)
    }
}

#[tokio::test]
async fn a_batch_that_is_not_stored_comes_again() {
    let function = StoreEvents::new(Arc::new(Full));
    for batch in [batch(EVENTS, 0, 0, vec![event(1, 5)]), batch(REJECTED, 0, 0, vec![rejection()])] {
        assert!(matches!(function.handle(&batch).await, Err(StoreEventsError::Store(StoreError::Full))));
    }
}
