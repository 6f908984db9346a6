//! A collector on a log that remembers what it took and fails when told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_collect::{Collector, Limits};
use clickstream_event::{Event, Rejection, Site, Sites};
use clickstream_log::{BatchLimits, Consumer, EVENTS, Extent, Log, LogError, LoggedRecord, MAX_RECORD_BYTES, Position, REJECTED, Record};
use http::{Request, Response};
use serde_json::Value;

/// A log in memory with a switch for each topic.
#[derive(Default)]
pub struct FaultyLog {
    taken: Mutex<Vec<(String, Record)>>,
    full: Mutex<Option<&'static str>>,
}

impl FaultyLog {
    /// From now on `topic` takes nothing; none: every topic takes.
    pub fn fill(&self, topic: Option<&'static str>) {
        *self.full.lock().unwrap() = topic;
    }

    fn values<T: serde::de::DeserializeOwned>(&self, topic: &str) -> Vec<T> {
        self.taken.lock().unwrap().iter().filter(|(t, _)| t == topic).map(|(_, r)| serde_json::from_slice(&r.value).unwrap()).collect()
    }

    pub fn events(&self) -> Vec<Event> {
        self.values(EVENTS)
    }

    pub fn rejections(&self) -> Vec<Rejection> {
        self.values(REJECTED)
    }

    pub fn keys(&self) -> Vec<Option<Bytes>> {
        self.taken.lock().unwrap().iter().map(|(_, r)| r.key.clone()).collect()
    }
}

#[async_trait]
impl Log for FaultyLog {
    async fn log_id(&self) -> Result<String, LogError> {
        Ok("faulty".to_owned())
    }

    async fn create_topic(&self, _: &str, _: u32) -> Result<(), LogError> {
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        if *self.full.lock().unwrap() == Some(topic) {
            return Err(LogError::Full);
        }
        if let Some(record) = records.iter().find(|r| r.value.len() > MAX_RECORD_BYTES) {
            return Err(LogError::TooLarge { size: record.value.len(), limit: MAX_RECORD_BYTES });
        }
        let mut taken = self.taken.lock().unwrap();
        let positions = (0..records.len()).map(|n| Position { partition: 0, offset: (taken.len() + n) as u64 }).collect();
        taken.extend(records.into_iter().map(|r| (topic.to_owned(), r)));
        Ok(positions)
    }

    async fn read(&self, _: &str, _: u32, _: u64, _: usize, _: usize) -> Result<Vec<LoggedRecord>, LogError> {
        Ok(Vec::new())
    }

    async fn extents(&self, _: &str) -> Result<Vec<Extent>, LogError> {
        Ok(Vec::new())
    }

    async fn committed(&self, _: &str, _: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        Ok(Vec::new())
    }

    async fn subscribe(&self, _: &str, _: &[&str], _: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        Err(LogError::Unavailable("nobody reads this log".to_owned()))
    }

    async fn expire(&self, _: &str, _: u32, _: u64) -> Result<(), LogError> {
        Ok(())
    }
}

/// Sites `shop` (key `k`, any origin) and `closed` (key `c`, one origin).
pub fn sites() -> Sites {
    let mut closed = Site::new("closed", "c");
    closed.allowed_origins = vec!["https://closed.example".to_owned()];
    Sites::new(vec![Site::new("shop", "k"), closed])
}

/// A collector and its log.
pub fn service() -> (Collector, Arc<FaultyLog>) {
    let log = Arc::new(FaultyLog::default());
    (Collector::new(Arc::<FaultyLog>::clone(&log), sites(), Limits::default()), log)
}

/// A POST of JSON.
pub fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(path).header("content-type", "application/json").body(body.into()).unwrap()
}

/// The body of an answer.
pub fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Fails unless the answer is a problem of `status` that says what is wrong.
pub fn assert_problem(response: &Response<Bytes>, status: u16, code: &str) {
    assert_eq!(response.status(), status, "{:?}", response.body());
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem = json(response);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["code"], code, "{problem}");
    assert!(problem["title"].is_string() && problem["type"].is_string());
    assert!(problem["detail"].as_str().unwrap().len() > 20, "{problem}");
}
