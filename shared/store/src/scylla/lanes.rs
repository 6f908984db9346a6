//! Statements under way at once, bounded.

use futures::{StreamExt, TryStreamExt, stream};
use scylla::{
    client::session::Session,
    deserialize::row::DeserializeRow,
    serialize::row::SerializeRow,
    statement::{
        batch::{Batch, BatchStatement, BatchType},
        prepared::PreparedStatement,
    },
};
use tokio::sync::Semaphore;

use crate::StoreError;

/// The session, and how much of it may be used at once: callers share the bound, so that many of them do not
/// flood the cluster.
pub(super) struct Lanes {
    pub session: Session,
    writes: Semaphore,
    reads: Semaphore,
    width: usize,
}

impl Lanes {
    /// `width` statements at once, of writes and of reads each.
    pub(super) fn new(session: Session, width: usize) -> Self {
        Self { session, writes: Semaphore::new(width), reads: Semaphore::new(width), width }
    }

    /// Executes `statement` for each of `rows`. The first error ends it; what is under way then may still be written,
    /// which a repeat of the whole takes as done.
    pub(super) async fn write<R: SerializeRow + Send + Sync>(&self, statement: &PreparedStatement, rows: Vec<R>) -> Result<(), StoreError> {
        let written = stream::iter(rows).map(|row| self.write_row(statement, row)).buffer_unordered(self.width);
        written.try_collect().await
    }

    /// As [`Lanes::write`], but the rows of a group, which are of one partition, go together: one message, one write of
    /// the commit log.
    pub(super) async fn write_groups<R: SerializeRow + Send + Sync>(
        &self,
        statement: &PreparedStatement,
        groups: Vec<Vec<R>>,
    ) -> Result<(), StoreError> {
        let written = stream::iter(groups).map(|group| self.write_group(statement, group)).buffer_unordered(self.width);
        written.try_collect().await
    }

    async fn write_row(&self, statement: &PreparedStatement, row: impl SerializeRow) -> Result<(), StoreError> {
        let _permit = self.writes.acquire().await.map_err(closed)?;
        self.session.execute_unpaged(statement, row).await?;
        Ok(())
    }

    async fn write_group<R: SerializeRow>(&self, statement: &PreparedStatement, mut group: Vec<R>) -> Result<(), StoreError> {
        if group.len() == 1
            && let Some(row) = group.pop()
        {
            return self.write_row(statement, row).await;
        }
        let statements = vec![BatchStatement::PreparedStatement(statement.clone()); group.len()];
        // Within a partition a batch is one write without any log of batches.
        let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
        batch.set_is_idempotent(true);
        let _permit = self.writes.acquire().await.map_err(closed)?;
        self.session.batch(&batch, group).await?;
        Ok(())
    }

    /// The rows that `statement`, which bounds their number, finds.
    pub(super) async fn read<T>(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<Vec<T>, StoreError>
    where
        T: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
    {
        let _permit = self.reads.acquire().await.map_err(closed)?;
        let result = self.session.execute_unpaged(statement, values).await?.into_rows_result().map_err(unreadable)?;
        result.rows::<T>().map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)
    }

    /// Does `read` for each of `keys`, in their order.
    pub(super) async fn read_each<'a, K, T, F>(&self, keys: Vec<K>, read: impl FnMut(K) -> F) -> Result<Vec<T>, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'a,
    {
        stream::iter(keys).map(read).buffered(self.width).try_collect().await
    }
}

fn closed(_: tokio::sync::AcquireError) -> StoreError {
    StoreError::Unavailable("the event store is closed".to_owned())
}

/// Rows that are not as the schema says.
pub(super) fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("a row is not as schema/scylla says: {error}"))
}
