//! Moving records from librdkafka's queues into the member's shares, beginning where the shares say.
//!
//! Each partition has a queue of its own in librdkafka (`rd_kafka_queue_get_partition`): one that is not read holds up no
//! other, and librdkafka stops fetching it when enough waits there.

use std::{thread, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer, base_consumer::PartitionQueue},
    error::{KafkaError, KafkaResult},
};

use super::{REST, Session};
use crate::{
    LogError,
    kafka::{failure, message, rebalance::Telling, settings::ANSWER_WITHIN, shares::Key},
};

/// Records moved from one partition before the others get their turn.
const TURN: usize = 512;
/// Bytes of them.
const TURN_BYTES: usize = 1 << 20;

impl Session {
    /// The queue of `key` alone, which wakes this thread.
    pub(super) fn queue_of(&self, key: Key) -> Option<PartitionQueue<Telling>> {
        let (name, full) = &self.subscription.topics[key.topic];
        let queue = self.consumer.split_partition_queue(full, key.partition as i32);
        let Some(mut queue) = queue else {
            let why = format!("partition {} of {name} has no queue, and nothing of it is read", key.partition);
            self.shares.report(LogError::Unavailable(why));
            return None;
        };
        let me = thread::current();
        queue.set_nonempty_callback(move || me.unpark());
        Some(queue)
    }

    /// Has librdkafka go on elsewhere in partitions that were rewound; it drops what it fetched ahead.
    pub(super) fn seek(&self) {
        for (key, offset) in self.shares.seeks() {
            let mut to = TopicPartitionList::with_capacity(1);
            let asked = to
                .add_partition_offset(&self.subscription.topics[key.topic].1, key.partition as i32, Offset::Offset(offset as i64))
                .and_then(|()| self.consumer.seek_partitions(to, ANSWER_WITHIN))
                .and_then(|told| told.elements().first().map_or(Ok(()), rdkafka::topic_partition_list::TopicPartitionListElem::error));
            match asked {
                Ok(()) => self.shares.sought(key, offset),
                // Tried again with the next round: until then nothing of the partition is taken.
                Err(error) => tracing::warn!(partition = key.partition, offset, %error, "a partition cannot be rewound yet"),
            }
        }
    }

    /// Moves what was fetched into the shares; true if more waits.
    pub(super) fn fill(&self) -> KafkaResult<bool> {
        let mut more = false;
        for (key, queue) in &self.queues {
            if !self.shares.wants(*key) {
                continue;
            }
            let (mut records, mut bytes) = (Vec::new(), 0);
            while records.len() < TURN && bytes < TURN_BYTES {
                match queue.poll(Duration::ZERO) {
                    Some(Ok(message)) => {
                        bytes += message.payload_len() + message.key_len();
                        records.push(message::record(&message));
                    }
                    Some(Err(error)) if failure::code(&error).is_some_and(failure::is_unreadable) => {
                        self.shares.add(*key, std::mem::take(&mut records));
                        self.damaged(*key, &error)?;
                        break;
                    }
                    Some(Err(error)) => self.complain(&error),
                    None => break,
                }
            }
            more |= records.len() == TURN || bytes >= TURN_BYTES;
            if !records.is_empty() {
                self.shares.add(*key, records);
            }
        }
        Ok(more)
    }

    /// Says so again and again until it is repaired; nothing is skipped. librdkafka would go on with what lies behind the
    /// damage, so it is sent back to where the damage begins, even if nothing of the partition was seen before.
    fn damaged(&self, key: Key, error: &KafkaError) -> KafkaResult<()> {
        let topic = &self.subscription.topics[key.topic].0;
        self.shares.report(LogError::Corrupt(format!("partition {} of {topic}: {error}", key.partition)));
        let at = match self.shares.next(key) {
            Some(next) => next,
            None => self.begin_of(key)?,
        };
        self.shares.refetch(key, at, REST);
        Ok(())
    }

    /// Where a member that has seen nothing of `key` begins: at the committed offset, else at the first that is kept.
    fn begin_of(&self, key: Key) -> KafkaResult<u64> {
        let (full, partition) = (&self.subscription.topics[key.topic].1, key.partition as i32);
        let mut asked = TopicPartitionList::with_capacity(1);
        asked.add_partition(full, partition);
        let told = self.consumer.committed_offsets(asked, ANSWER_WITHIN)?;
        let committed = told.elements().first().map(|element| element.error().map(|()| element.offset())).transpose()?;
        let at = match committed {
            Some(Offset::Offset(offset)) => offset,
            _ => self.consumer.fetch_watermarks(full, partition, ANSWER_WITHIN)?.0,
        };
        Ok(at.max(0) as u64)
    }
}
