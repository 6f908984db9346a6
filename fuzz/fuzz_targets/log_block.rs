//! Blocks of the log as they lie on the disk: changed bytes are noticed, and what is decoded stays within its limits.
#![no_main]

#[path = "../../shared/log/src/sqlite/block.rs"]
#[allow(dead_code)]
mod block;

extern crate self as clickstream_sqlite;

use block::{Block, Stored};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

// The log's own types, as far as blocks know them.
#[allow(missing_docs)]
#[derive(Debug)]
pub enum Failure {
    Corrupt(String),
}
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Option<Bytes>,
    pub value: Bytes,
    pub headers: Vec<(String, Bytes)>,
}
#[allow(missing_docs)]
#[derive(Debug)]
pub struct LoggedRecord {
    pub offset: u64,
    pub appended_at: i64,
    pub record: Record,
}
#[allow(missing_docs)]
pub const MAX_RECORD_BYTES: usize = 1_000_000;

const PARTITION: i64 = 3;
const FIRST: u64 = 7;

fuzz_target!(|data: &[u8]| {
    let [codec, count, data @ ..] = data else { return };
    let next = FIRST + u64::from(*count);
    for checksum in [0, right_checksum(next, data)] {
        let stored = Stored { codec: i64::from(*codec), checksum, data: data.to_vec() };
        match Block::restore(PARTITION, (FIRST, next, 5), stored) {
            Ok(block) => read(&block),
            Err(Failure::Corrupt(why)) => assert!(!why.is_empty()),
        }
    }
});

/// A block that can be read is written again as the same.
fn read(block: &Block) {
    let mut records = Vec::new();
    let whole = block.records(0, |logged| {
        assert_eq!(logged.offset, FIRST + records.len() as u64, "offsets are whole");
        records.push(logged.record);
        true
    });
    let skipped = block.records(FIRST + 1, |_| false);
    if whole.is_err() {
        return;
    }
    assert_eq!(records.len() as u64, block.next - block.first);
    assert_eq!(skipped.is_ok_and(|all| all), records.len() <= 1);
    let mut body = Vec::new();
    records.iter().for_each(|record| block::encode(record, &mut body));
    assert!(block.body.starts_with(&body), "what is read is what was written");
    let again = Block { body: body.into(), ..block.clone() };
    let mut compressor = zstd::bulk::Compressor::new(1).expect("zstd starts");
    let restored = Block::restore(PARTITION, (FIRST, block.next, 5), again.store(PARTITION, &mut compressor)).expect("it is restored");
    assert_eq!(restored.body, again.body);
}

/// The checksum that makes `data` look whole, so that what lies behind it is reached.
fn right_checksum(next: u64, data: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&PARTITION.to_le_bytes());
    crc.update(&FIRST.to_le_bytes());
    crc.update(&next.to_le_bytes());
    crc.update(&5_i64.to_le_bytes());
    crc.update(data);
    crc.finalize()
}
