//! A log in memory that fails when told to.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use clickstream_log::{BatchLimits, Consumer, Extent, Log, LogError, LoggedRecord, MAX_RECORD_BYTES, Position, Record};
use serde::de::DeserializeOwned;

/// Appends only; nobody reads it but tests.
#[derive(Default)]
pub struct MemoryLog {
    /// From now on it takes nothing.
    pub full: AtomicBool,
    /// It cannot be reached.
    pub away: AtomicBool,
    /// It takes a call, and never answers.
    pub hangs: AtomicBool,
    /// Calls of `append`.
    pub calls: AtomicU64,
    /// Records are counted and forgotten.
    pub forgets: AtomicBool,
    /// Records taken.
    pub count: AtomicU64,
    taken: Mutex<Vec<(String, Record)>>,
}

impl MemoryLog {
    /// What a topic holds.
    pub fn values<T: DeserializeOwned>(&self, topic: &str) -> Vec<T> {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|(of, _)| of == topic).map(|(_, record)| serde_json::from_slice(&record.value).unwrap()).collect()
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn log_id(&self) -> Result<String, LogError> {
        Ok("memory".to_owned())
    }

    async fn create_topic(&self, _: &str, _: u32) -> Result<(), LogError> {
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.away.load(Ordering::SeqCst) {
            return Err(LogError::Unavailable("told to be away".to_owned()));
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(LogError::Full);
        }
        if let Some(record) = records.iter().find(|r| r.value.len() > MAX_RECORD_BYTES) {
            return Err(LogError::TooLarge { size: record.value.len(), limit: MAX_RECORD_BYTES });
        }
        let first = self.count.fetch_add(records.len() as u64, Ordering::SeqCst);
        let positions = (first..).zip(&records).map(|(offset, _)| Position { partition: 0, offset }).collect();
        if !self.forgets.load(Ordering::SeqCst) {
            self.taken.lock().unwrap().extend(records.into_iter().map(|record| (topic.to_owned(), record)));
        }
        Ok(positions)
    }

    async fn read(&self, _: &str, _: u32, _: u64, _: usize, _: usize) -> Result<Vec<LoggedRecord>, LogError> {
        Err(LogError::Unavailable("only tests read it".to_owned()))
    }

    async fn extents(&self, _: &str) -> Result<Vec<Extent>, LogError> {
        Err(LogError::Unavailable("only tests read it".to_owned()))
    }

    async fn committed(&self, _: &str, _: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        Err(LogError::Unavailable("only tests read it".to_owned()))
    }

    async fn subscribe(&self, _: &str, _: &[&str], _: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        Err(LogError::Unavailable("only tests read it".to_owned()))
    }

    async fn expire(&self, _: &str, _: u32, _: u64) -> Result<(), LogError> {
        Ok(())
    }
}
