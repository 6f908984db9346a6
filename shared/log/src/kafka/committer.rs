//! The thread that waits for the answers to a member's commits.
//!
//! librdkafka tells nobody of the outcome of a commit that is not waited for, so one thread waits; the member's own
//! goes on polling.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::Thread,
    time::Duration,
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaResult, RDKafkaErrorCode},
};

use super::{
    failure,
    rebalance::{Telling, Told},
    session::Subscription,
    shares::{Key, Shares},
};

/// Longest wait for a commit that is under way when the member ends.
const ENDED_WITHIN: Duration = Duration::from_secs(3);

/// A commit to ask the coordinator for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub key: Key,
    pub holding: u64,
    pub next_offset: u64,
}

/// Sends commits one after the other.
pub(super) struct Committer {
    asked: Option<Sender<Asked>>,
    /// Hears when the thread has let go of the consumer.
    ended: Receiver<()>,
}

impl Committer {
    /// For `consumer`, whose thread is woken for every answer.
    pub(super) fn start(
        consumer: Arc<BaseConsumer<Telling>>,
        subscription: Arc<Subscription>,
        shares: Arc<Shares>,
        woken: Thread,
    ) -> std::io::Result<Self> {
        let (asked, asks) = channel();
        let (done, ended) = channel();
        let run = move || {
            run(&consumer, &subscription, &shares, &asks, &woken);
            // In this order: the member's thread is to be the last that holds the consumer, since ending it takes long.
            drop(consumer);
            drop(done);
        };
        std::thread::Builder::new().name("kafka-commits".to_owned()).spawn(run)?;
        Ok(Self { asked: Some(asked), ended })
    }

    pub(super) fn ask(&self, asked: Asked) -> Result<(), RDKafkaErrorCode> {
        let sender = self.asked.as_ref().ok_or(RDKafkaErrorCode::State)?;
        sender.send(asked).map_err(|_| RDKafkaErrorCode::State)
    }

    /// Ends it after the commit that is under way, if that comes to an end soon.
    pub(super) fn end(&mut self) {
        self.asked = None;
        // Nothing is sent: it ends with the sender, or its time is over.
        let _ = self.ended.recv_timeout(ENDED_WITHIN);
    }
}

fn run(consumer: &BaseConsumer<Telling>, subscription: &Subscription, shares: &Shares, asks: &Receiver<Asked>, woken: &Thread) {
    for asked in asks {
        // Commits before it may have taken long: looked at last when it is sent.
        let outcome = if shares.holding(asked.key) == Some(asked.holding) {
            commit(consumer, subscription, asked).map_err(|error| failure::code(&error).unwrap_or(RDKafkaErrorCode::Fail))
        } else {
            Err(RDKafkaErrorCode::AssignmentLost)
        };
        consumer.context().tell(Told::Committed { key: asked.key, next_offset: asked.next_offset, outcome });
        woken.unpark();
    }
}

fn commit(consumer: &BaseConsumer<Telling>, subscription: &Subscription, asked: Asked) -> KafkaResult<()> {
    let mut offset = TopicPartitionList::with_capacity(1);
    let topic = &subscription.topics[asked.key.topic].1;
    offset.add_partition_offset(topic, asked.key.partition as i32, Offset::Offset(asked.next_offset as i64))?;
    consumer.commit(&offset, CommitMode::Sync)
}
