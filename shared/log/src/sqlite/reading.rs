//! Reading records of one partition: from memory where they are recent, else from the file.

use std::sync::Arc;

use clickstream_sqlite::{Failure, Readers};
use rusqlite::Connection;

use super::{
    block::{Block, Stored},
    cache::Cache,
    topics::Partition,
};
use crate::taking::Taking;

/// Encoded bytes read from the file in one go.
const CHUNK_BYTES: usize = 4 << 20;

/// Adds records of `partition` to `taking`, from offset `from` (or the first kept) up to `end`.
pub(super) async fn read_into(
    taking: &mut Taking,
    cache: &Cache,
    readers: &Readers,
    partition: &Arc<Partition>,
    from: u64,
    end: u64,
) -> Result<(), Failure> {
    let mut from = taking.next(from).max(partition.held().start);
    while !taking.full && from < end {
        let wanted = taking.max_bytes.saturating_sub(taking.bytes).clamp(1, CHUNK_BYTES);
        let mut blocks = cache.from(partition.id, from, wanted);
        if blocks.is_empty() {
            let id = partition.id;
            let max_records = taking.max_records - taking.records.len();
            blocks = readers.run(move |c| blocks_of(c, id, from, max_records, wanted)).await?;
        }
        let start = partition.held().start;
        match blocks.first() {
            Some(block) if block.first <= from => {}
            // Expired while it was being read.
            _ if start > from => {
                from = start;
                continue;
            }
            _ => return Err(Failure::Corrupt(format!("offset {from} of partition {} is missing", partition.number))),
        }
        for block in &blocks {
            if block.first > from {
                return Err(Failure::Corrupt(format!("offsets {from} to {} of partition {} are missing", block.first, partition.number)));
            }
            if !block.records(from, |r| r.offset < end && taking.take(r))? {
                return Ok(());
            }
            from = block.next;
        }
    }
    Ok(())
}

/// Blocks of the file from the one that holds `from` on, about as much as is wanted.
fn blocks_of(
    connection: &mut Connection,
    partition_id: i64,
    from: u64,
    max_records: usize,
    max_bytes: usize,
) -> Result<Vec<Block>, Failure> {
    let mut query = connection.prepare_cached(
        "SELECT first_offset, next_offset, appended_at, codec, checksum, data FROM blocks
         WHERE partition_id = ?1 AND next_offset > ?2 ORDER BY next_offset",
    )?;
    let mut rows = query.query((partition_id, from as i64))?;
    let mut blocks = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let (first, next): (i64, i64) = (row.get(0)?, row.get(1)?);
        let stored = Stored { codec: row.get(3)?, checksum: row.get(4)?, data: row.get(5)? };
        let block = Block::restore(partition_id, (first as u64, next as u64, row.get(2)?), stored)?;
        bytes += block.body.len();
        let enough = bytes >= max_bytes || block.next - from >= max_records as u64;
        blocks.push(block);
        if enough {
            break;
        }
    }
    Ok(blocks)
}
