//! The newest blocks in memory, so that consumers near the end never touch the disk.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use super::{block::Block, topics::locked};

/// Memory that a block takes besides its body, bytes.
const OVERHEAD_BYTES: usize = 160;

#[derive(Debug)]
pub(super) struct Cache {
    limit_bytes: usize,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    bytes: usize,
    /// By partition row, each without gaps and in offset order.
    blocks: HashMap<i64, VecDeque<Block>>,
    /// Partition rows in the order their blocks came, oldest first.
    order: VecDeque<i64>,
}

impl Cache {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, content: Mutex::default() }
    }

    /// Adds the newest block of a partition; the oldest of any give way.
    pub(super) fn push(&self, partition_id: i64, block: Block) {
        let mut content = locked(&self.content);
        content.bytes += block.body.len() + OVERHEAD_BYTES;
        content.blocks.entry(partition_id).or_default().push_back(block);
        content.order.push_back(partition_id);
        while content.bytes > self.limit_bytes {
            let Some(oldest) = content.order.pop_front() else { break };
            if let Some(block) = content.blocks.get_mut(&oldest).and_then(VecDeque::pop_front) {
                content.bytes -= block.body.len() + OVERHEAD_BYTES;
            }
        }
    }

    /// Blocks from the one that holds `from` on, until they hold `max_bytes`; empty if that one is
    /// not in memory.
    pub(super) fn from(&self, partition_id: i64, from: u64, max_bytes: usize) -> Vec<Block> {
        let content = locked(&self.content);
        let Some(blocks) = content.blocks.get(&partition_id) else { return Vec::new() };
        if blocks.front().is_none_or(|b| from < b.first) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut bytes = 0;
        for block in blocks.range(blocks.partition_point(|b| b.next <= from)..) {
            bytes += block.body.len();
            found.push(block.clone());
            if bytes >= max_bytes {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: u64) -> Block {
        Block { first, next: first + 10, appended_at: 0, body: vec![0; 840].into() }
    }

    #[test]
    fn the_oldest_blocks_give_way_and_the_rest_is_found() {
        let cache = Cache::new(5_000);
        for i in 0..8 {
            cache.push(1, block(i * 10));
        }
        assert!(cache.from(1, 29, 100).is_empty(), "gone");
        assert_eq!(cache.from(1, 35, 100).iter().map(|b| b.first).collect::<Vec<_>>(), [30]);
        assert_eq!(cache.from(1, 30, 1 << 20).len(), 5);
        assert!(cache.from(1, 80, 100).is_empty(), "not there yet");
        assert!(cache.from(2, 0, 100).is_empty(), "another partition");
    }
}
