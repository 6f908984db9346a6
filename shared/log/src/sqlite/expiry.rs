//! Forgetting old records: the new start is durable at once, the blocks go bit by bit between
//! commits, so that appends never wait for long.

use std::{collections::VecDeque, sync::Arc};

use clickstream_sqlite::{Failure, return_free_pages};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::topics::Partition;

/// Blocks deleted in one transaction.
const BLOCKS_PER_STEP: i64 = 256;

type Reply = oneshot::Sender<Result<(), Failure>>;

/// Partitions that may hold blocks below their start.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    due: VecDeque<(i64, Option<Reply>)>,
    /// Free pages are still to be given back.
    shrinking: bool,
}

impl Expiry {
    /// What an earlier run left to delete.
    pub(super) fn resume(connection: &Connection) -> Result<Self, Failure> {
        let mut query = connection.prepare(
            "SELECT id FROM partitions p WHERE EXISTS (SELECT 1 FROM blocks b
             WHERE b.partition_id = p.id AND b.next_offset <= p.start_offset)",
        )?;
        let due = query.query_map([], |r| r.get(0))?.map(|id| Ok((id?, None)));
        Ok(Self { due: due.collect::<Result<_, rusqlite::Error>>()?, shrinking: true })
    }

    /// True if [`Expiry::step`] has work.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty() || self.shrinking
    }

    /// Moves the start of `partition` to `offset`, but never back nor past its end.
    pub(super) fn begin(&mut self, connection: &Connection, partition: &Arc<Partition>, offset: u64, reply: Reply) {
        let held = partition.held();
        let start = offset.clamp(held.start, held.end);
        let moved = connection.execute(
            "UPDATE partitions SET start_offset = ?2, end_offset = ?3 WHERE id = ?1",
            (partition.id, start as i64, held.end as i64),
        );
        match moved {
            Ok(_) => {
                partition.expired(start);
                self.due.push_back((partition.id, Some(reply)));
            }
            Err(error) => drop(reply.send(Err(error.into()))),
        }
    }

    /// Deletes a few blocks, or gives a few free pages back.
    pub(super) fn step(&mut self, connection: &Connection) {
        let Some((partition_id, reply)) = self.due.pop_front() else {
            self.shrinking = match return_free_pages(connection) {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "could not give free pages back");
                    false
                }
            };
            return;
        };
        match delete_blocks(connection, partition_id) {
            Ok(true) => self.due.push_front((partition_id, reply)),
            Ok(false) => {
                self.shrinking = true;
                reply.map(|r| r.send(Ok(())));
            }
            // The start has moved already; what is left goes with the next expiry or start.
            Err(error) => {
                tracing::warn!(%error, partition_id, "could not delete expired blocks");
                reply.map(|r| r.send(Err(error)));
            }
        }
    }
}

/// Returns whether more may be left.
fn delete_blocks(connection: &Connection, partition_id: i64) -> Result<bool, Failure> {
    let deleted = connection
        .prepare_cached(
            "DELETE FROM blocks WHERE id IN (
                SELECT id FROM blocks WHERE partition_id = ?1 AND next_offset <=
                    (SELECT start_offset FROM partitions WHERE id = ?1)
                ORDER BY next_offset LIMIT ?2)",
        )?
        .execute((partition_id, BLOCKS_PER_STEP))?;
    Ok(deleted as i64 == BLOCKS_PER_STEP)
}
