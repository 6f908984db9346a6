//! One transaction of the writer: everything that waited is appended, then all are answered.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use clickstream_sqlite::Failure;
use rusqlite::{Connection, Transaction};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use zstd::bulk::Compressor;

use super::{
    Shared,
    block::{Block, TARGET_BYTES, encode},
    topics::{Partition, locked},
};
use crate::{Position, Record, taking::payload_bytes};

/// Records that one caller waits to see appended.
#[derive(Debug)]
pub(super) struct Append {
    /// Each record with its index in `partitions`.
    pub records: Vec<(u32, Record)>,
    pub partitions: Arc<Vec<Arc<Partition>>>,
    pub bytes: usize,
    pub reply: oneshot::Sender<Result<Vec<Position>, Failure>>,
    /// Its share of the queue's bytes, given back when it was answered.
    pub share: OwnedSemaphorePermit,
}

/// A group's progress that one caller waits to see stored.
#[derive(Debug)]
pub(super) struct Progress {
    pub group: String,
    pub partition_id: i64,
    pub next_offset: u64,
    pub reply: oneshot::Sender<Result<(), Failure>>,
}

/// What comes into one transaction.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub appends: Vec<Append>,
    pub progress: Vec<Progress>,
    pub bytes: usize,
}

/// What the transaction adds to one partition.
struct Tail {
    partition: Arc<Partition>,
    next: u64,
    payload_bytes: usize,
    blocks: Vec<Block>,
    open: Vec<u8>,
}

impl Tail {
    fn push(&mut self, record: &Record, appended_at: i64) -> Position {
        let offset = self.next;
        encode(record, &mut self.open);
        self.next += 1;
        self.payload_bytes += payload_bytes(record);
        if self.open.len() >= TARGET_BYTES {
            self.close(appended_at);
        }
        Position { partition: self.partition.number, offset }
    }

    fn close(&mut self, appended_at: i64) {
        if !self.open.is_empty() {
            let first = self.blocks.last().map_or_else(|| self.partition.held().end, |b| b.next);
            let body = std::mem::take(&mut self.open).into();
            self.blocks.push(Block { first, next: self.next, appended_at, body });
        }
    }
}

impl Turn {
    /// Commits all of it in one transaction and answers every caller; returns about how many bytes
    /// were written.
    pub(super) fn run(self, shared: &Shared, connection: &mut Connection, compressor: &mut Compressor<'_>) -> u64 {
        let appended_at = now_micros();
        let mut tails: BTreeMap<i64, Tail> = BTreeMap::new();
        let mut answers = Vec::with_capacity(self.appends.len());
        for append in self.appends {
            let positions = append.records.iter().map(|(number, record)| {
                let partition = &append.partitions[*number as usize];
                let tail = tails.entry(partition.id).or_insert_with(|| Tail {
                    partition: Arc::clone(partition),
                    next: partition.held().end,
                    payload_bytes: 0,
                    blocks: Vec::new(),
                    open: Vec::new(),
                });
                tail.push(record, appended_at)
            });
            answers.push((positions.collect::<Vec<_>>(), append.reply, append.share));
        }
        for tail in tails.values_mut() {
            tail.close(appended_at);
        }
        let written = write(connection, compressor, &tails, &self.progress);
        if written.is_ok() {
            publish(shared, tails, &self.progress);
        }
        let bytes = written.as_ref().copied().unwrap_or(0);
        let outcome = written.map(drop);
        // A caller that went away needs no answer; what it asked for is done all the same.
        for (positions, reply, share) in answers {
            drop(reply.send(outcome.clone().map(|()| positions)));
            drop(share);
        }
        for progress in self.progress {
            drop(progress.reply.send(outcome.clone()));
        }
        bytes
    }
}

fn write(
    connection: &mut Connection,
    compressor: &mut Compressor<'_>,
    tails: &BTreeMap<i64, Tail>,
    progress: &[Progress],
) -> Result<u64, Failure> {
    // Beside the data a commit writes the first and last pages of the trees it touches.
    let mut bytes = 16_384;
    let tx = connection.transaction()?;
    for (partition_id, tail) in tails {
        for block in &tail.blocks {
            bytes += insert(&tx, compressor, *partition_id, block)? + 8_192;
        }
    }
    // Of several steps of one group only the last needs to be written.
    let last: HashMap<_, _> = progress.iter().map(|p| ((p.group.as_str(), p.partition_id), p.next_offset)).collect();
    for ((group, partition_id), next) in last {
        tx.prepare_cached(
            "INSERT INTO committed (group_name, partition_id, next_offset) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
        )?
        .execute((group, partition_id, next as i64))?;
    }
    tx.commit()?;
    Ok(bytes)
}

fn insert(tx: &Transaction<'_>, compressor: &mut Compressor<'_>, partition_id: i64, block: &Block) -> Result<u64, Failure> {
    let stored = block.store(partition_id, compressor);
    tx.prepare_cached(
        "INSERT INTO blocks (partition_id, first_offset, next_offset, appended_at, codec, checksum, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((partition_id, block.first as i64, block.next as i64, block.appended_at, stored.codec, stored.checksum, &stored.data))?;
    Ok(stored.data.len() as u64)
}

/// Shows readers and consumers what is durable now.
fn publish(shared: &Shared, tails: BTreeMap<i64, Tail>, progress: &[Progress]) {
    let appended = !tails.is_empty();
    for (partition_id, tail) in tails {
        for block in tail.blocks {
            shared.cache.push(partition_id, block);
        }
        tail.partition.appended(tail.next, tail.payload_bytes as u64);
    }
    if !progress.is_empty() {
        let mut committed = locked(&shared.committed);
        for p in progress {
            committed.insert((p.group.clone(), p.partition_id), p.next_offset);
        }
    }
    if appended {
        shared.appended.send_modify(|n| *n += 1);
    }
}

fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}
