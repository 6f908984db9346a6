//! Questions to ClickHouse in turn: each takes a connection and a thread there, and many at once only slow each other.

use std::time::Duration;

use async_trait::async_trait;
use clickstream_warehouse::{InWarehouse, ReportQuery, Table, WarehouseError};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::sources::AskWarehouse;

/// Questions that are asked at once.
const AT_ONCE: usize = 32;
/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// A warehouse that is asked a few questions at once.
pub struct InTurn<W> {
    warehouse: W,
    turns: Semaphore,
    patience: Duration,
}

impl<W> InTurn<W> {
    /// All questions go to `warehouse`.
    pub fn new(warehouse: W) -> Self {
        Self::with(warehouse, AT_ONCE, PATIENCE)
    }

    fn with(warehouse: W, at_once: usize, patience: Duration) -> Self {
        Self { warehouse, turns: Semaphore::new(at_once), patience }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, WarehouseError> {
        match tokio::time::timeout(self.patience, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(WarehouseError::Unavailable("too many questions are asked at once".to_owned())),
        }
    }
}

#[async_trait]
impl<W: AskWarehouse> AskWarehouse for InTurn<W> {
    async fn report(&self, query: &ReportQuery) -> Result<Table, WarehouseError> {
        let _turn = self.turn().await?;
        self.warehouse.report(query).await
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
        let _turn = self.turn().await?;
        self.warehouse.find(site, event_id).await
    }

    async fn settled_version_of(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, WarehouseError> {
        let _turn = self.turn().await?;
        self.warehouse.settled_version_of(log_id, partition, offset).await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Answers after a while; knows how many asked at once.
    #[derive(Default)]
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    #[async_trait]
    impl AskWarehouse for Arc<Slow> {
        async fn report(&self, _: &ReportQuery) -> Result<Table, WarehouseError> {
            Ok(Table::default())
        }

        async fn find(&self, _: Option<&str>, _: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
            self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(None)
        }

        async fn settled_version_of(&self, _: &str, _: u32, _: u64) -> Result<Option<u64>, WarehouseError> {
            Ok(None)
        }
    }

    #[tokio::test]
    async fn a_crowd_is_answered_in_turn_and_whoever_waits_too_long_is_told() {
        let slow = Arc::new(Slow::default());
        let warehouse = InTurn::with(Arc::clone(&slow), 4, Duration::from_millis(500));
        let ask = |n: usize| futures::future::join_all((0..n).map(|_| warehouse.find(None, Uuid::nil())));
        assert!(ask(12).await.iter().all(Result::is_ok));
        assert_eq!(slow.most.load(Ordering::SeqCst), 4);
        let late = ask(400).await;
        let told = late.iter().find_map(|answer| answer.as_ref().err()).unwrap().to_string();
        assert!(told.contains("at once"), "{told}");
        assert!(warehouse.find(None, Uuid::nil()).await.is_ok());
    }
}
