//! The thread of a member: polls librdkafka, fills the member's shares, asks for its commits, and answers rebalances.
//!
//! Polling goes on while batches are being worked on, so that a slow batch is no reason to lose a partition
//! (`max.poll.interval.ms` is never reached); a dead process is noticed by its missing heartbeats.

mod fetching;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer, base_consumer::PartitionQueue},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

use super::{
    commits::{Commit, Commits},
    committer::{Asked, Committer},
    failure,
    rebalance::{Telling, Told, give_up, take_up},
    shares::{Key, Shares},
    threads::aside,
    topics,
};
use crate::LogError;

/// Longest sleep of the thread; messages, commands and events wake it.
const TICK: Duration = Duration::from_millis(100);
/// How long a partition that goes to another member waits for its batch in hand to be committed, so that the work is
/// not done twice.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before a damaged partition is looked at again, and before a consumer that failed as a whole is replaced.
const REST: Duration = Duration::from_secs(5);

/// What a member reads.
pub(super) struct Subscription {
    pub config: ClientConfig,
    /// Full name.
    pub group: String,
    /// Name and full name.
    pub topics: Vec<(String, String)>,
}

impl Subscription {
    /// The error of a batch whose partition has gone.
    pub(super) fn lost(&self, key: Key) -> LogError {
        LogError::Unavailable(format!(
            "partition {} of {} is this member's no longer; its batch is handed out again to the one of group {} that holds it",
            key.partition, self.topics[key.topic].0, self.group
        ))
    }

    fn key(&self, topic: &str, partition: i32) -> Option<Key> {
        let number = self.topics.iter().position(|(_, full)| full == topic)?;
        Some(Key { topic: number, partition: u32::try_from(partition).ok()? })
    }

    fn keys(&self, partitions: &TopicPartitionList) -> Vec<Key> {
        partitions.elements().iter().filter_map(|element| self.key(element.topic(), element.partition())).collect()
    }
}

/// Runs until `stop` and commits what is `asked`; whoever asks or stops wakes this thread.
pub(super) fn run(subscription: &Arc<Subscription>, shares: &Arc<Shares>, asked: &Receiver<Commit>, stop: &AtomicBool) {
    let _ended = Ended(shares);
    while !stop.load(Ordering::Relaxed) {
        let ended = Session::begin(subscription, shares).map_err(|error| error.to_string()).and_then(|mut session| {
            let ended = session.serve(asked, stop);
            session.let_go();
            if ended.is_err() {
                // What has failed may take long to end, or for ever.
                drop(aside(move || drop(session)));
            }
            ended
        });
        if let Err(why) = ended {
            shares.report(LogError::Unavailable(format!("the consumer of group {} begins anew: {why}", subscription.group)));
            let until = Instant::now() + REST;
            while !stop.load(Ordering::Relaxed) && Instant::now() < until {
                // What is asked meanwhile is refused, since nothing is held.
                asked.try_iter().for_each(|commit| refuse(subscription, commit));
                thread::park_timeout(TICK);
            }
        }
    }
}

/// Tells the member's caller, who waits for a batch, that none will come: also if the thread panics.
struct Ended<'a>(&'a Shares);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn refuse(subscription: &Subscription, commit: Commit) {
    let lost = subscription.lost(commit.key);
    drop(commit.caller.send(Err(lost)));
}

/// A consumer for as long as it works.
struct Session {
    subscription: Arc<Subscription>,
    shares: Arc<Shares>,
    committer: Committer,
    queues: HashMap<Key, PartitionQueue<Telling>>,
    commits: Commits,
    /// Partitions that are to be given up when their batches in hand are done, at the latest then.
    leaving: Option<(TopicPartitionList, Instant)>,
    /// Dropped last: it leaves the group.
    consumer: Arc<BaseConsumer<Telling>>,
}

impl Session {
    fn begin(subscription: &Arc<Subscription>, shares: &Arc<Shares>) -> KafkaResult<Self> {
        let mut consumer = BaseConsumer::from_config_and_context(&subscription.config, Telling::default())?;
        let me = thread::current();
        consumer.set_nonempty_callback(move || me.unpark());
        let topics: Vec<&str> = subscription.topics.iter().map(|(_, full)| full.as_str()).collect();
        consumer.subscribe(&topics)?;
        let consumer = Arc::new(consumer);
        let committer = Committer::start(Arc::clone(&consumer), Arc::clone(subscription), Arc::clone(shares), thread::current());
        let committer = committer.map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        let (subscription, shares) = (Arc::clone(subscription), Arc::clone(shares));
        Ok(Self { subscription, shares, committer, queues: HashMap::new(), commits: Commits::default(), leaving: None, consumer })
    }

    /// Serves until `stop`, or until it cannot go on, which its error explains.
    fn serve(&mut self, asked: &Receiver<Commit>, stop: &AtomicBool) -> Result<(), String> {
        // What is said of the consumer before this one says nothing of this one.
        self.shares.to_begin_anew();
        while !stop.load(Ordering::Relaxed) {
            if let Some(why) = self.shares.to_begin_anew() {
                return Err(why);
            }
            self.round(asked).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn round(&mut self, asked: &Receiver<Commit>) -> KafkaResult<()> {
        self.poll()?;
        for told in self.consumer.context().take() {
            self.hear(told);
        }
        let now = Instant::now();
        asked.try_iter().for_each(|commit| self.commit(commit, now));
        self.commits.due(now).into_iter().for_each(|commit| self.commit(commit, now));
        self.commits.expire(now);
        self.leave(now);
        self.seek();
        if !self.fill()? {
            thread::park_timeout(TICK);
        }
        Ok(())
    }

    /// Serves librdkafka's events until there are none.
    fn poll(&self) -> KafkaResult<()> {
        loop {
            let before = self.consumer.context().count();
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    // Its partition was given up in the same moment, or got no queue of its own. It is not committed.
                    tracing::warn!(partition = message.partition(), offset = message.offset(), "a message of no queue is dropped");
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
                Some(Err(error)) => self.complain(&error),
                None if self.consumer.context().count() == before => return Ok(()),
                None => {}
            }
        }
    }

    /// Tells the caller what it should know; the rest is librdkafka's own to repair, and was logged.
    fn complain(&self, error: &KafkaError) {
        use RDKafkaErrorCode::{
            AllBrokersDown, Authentication, GroupAuthorizationFailed, InconsistentGroupProtocol, InvalidSessionTimeout, SSL,
            SaslAuthenticationFailed, TopicAuthorizationFailed, UnsupportedSASLMechanism,
        };
        let Some(code) = failure::code(error) else { return };
        if failure::is_unknown_topic(code) {
            for (name, full) in &self.subscription.topics {
                if matches!(topics::partitions(self.consumer.client(), full, name), Err(LogError::UnknownTopic(_))) {
                    self.shares.report(LogError::UnknownTopic(name.clone()));
                }
            }
            return;
        }
        let told = match code {
            AllBrokersDown => "no broker can be reached".to_owned(),
            InconsistentGroupProtocol => "another member of the group does not share partitions by cooperative-sticky".to_owned(),
            Authentication
            | GroupAuthorizationFailed
            | InvalidSessionTimeout
            | SSL
            | SaslAuthenticationFailed
            | TopicAuthorizationFailed
            | UnsupportedSASLMechanism => code.to_string(),
            _ => return tracing::debug!(%error, "the consumer goes on"),
        };
        self.shares.report(LogError::Unavailable(format!("group {}: {told}", self.subscription.group)));
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Assigned(partitions) => self.take_up(&partitions),
            Told::Revoked(partitions) => {
                self.shares.leave(&self.subscription.keys(&partitions));
                self.leaving = Some((partitions, Instant::now() + PATIENCE));
            }
            Told::Committed { key, next_offset, outcome } => {
                if self.commits.answered(key, next_offset, outcome, Instant::now()) {
                    self.shares.committed(key, next_offset);
                }
            }
        }
    }

    fn take_up(&mut self, partitions: &TopicPartitionList) {
        let mut keys = self.subscription.keys(partitions);
        keys.retain(|key| {
            // Before the partition is assigned, so that not one message of it goes into the common queue.
            let queue = self.queue_of(*key);
            let found = queue.is_some();
            self.queues.extend(queue.map(|queue| (*key, queue)));
            found
        });
        match take_up(&self.consumer, partitions) {
            Ok(()) => {
                tracing::debug!(group = self.subscription.group, partitions = ?self.names(&keys), "took partitions up");
                self.shares.assigned(keys);
            }
            Err(error) => self.shares.report(LogError::Unavailable(format!("partitions cannot be taken up: {error}"))),
        }
    }

    /// Holds nothing from now on; commits under way are answered as lost.
    fn let_go(&mut self) {
        self.consumer.context().close();
        self.shares.all_gone();
        self.commits.lost(|_| true, |key| self.subscription.lost(key));
    }

    /// Gives up what is to be given up, when nothing of it is in hand any more.
    fn leave(&mut self, now: Instant) {
        let Some((partitions, until)) = &self.leaving else { return };
        let keys = self.subscription.keys(partitions);
        let busy = self.shares.in_hand(&keys) || self.commits.any(&keys);
        // Lost, they are another's already.
        if busy && now < *until && !self.consumer.assignment_lost() {
            return;
        }
        self.shares.gone(&keys);
        self.commits.lost(|key| keys.contains(&key), |key| self.subscription.lost(key));
        self.queues.retain(|key, _| !keys.contains(key));
        if let Err(error) = give_up(&self.consumer, partitions) {
            tracing::warn!(group = self.subscription.group, %error, "partitions could not be given up");
        }
        tracing::debug!(group = self.subscription.group, partitions = ?self.names(&keys), "gave partitions up");
        self.leaving = None;
    }

    fn commit(&mut self, commit: Commit, now: Instant) {
        if self.shares.holding(commit.key) != Some(commit.holding) {
            return refuse(&self.subscription, commit);
        }
        let committer = &self.committer;
        self.commits.begin(commit, now, |c| committer.ask(Asked { key: c.key, holding: c.holding, next_offset: c.next_offset }));
    }

    /// For log lines.
    fn names(&self, keys: &[Key]) -> Vec<String> {
        keys.iter().map(|key| format!("{}/{}", self.subscription.topics[key.topic].0, key.partition)).collect()
    }
}

impl Drop for Session {
    /// Ends the consumer, which waits for the brokers.
    fn drop(&mut self) {
        self.consumer.context().close();
        self.committer.end();
        // Queues hold the consumer; the consumer ends only when every rebalance was answered.
        self.queues.clear();
        let unheard = self.consumer.context().take().into_iter().map(|told| match told {
            Told::Assigned(partitions) => take_up(&self.consumer, &partitions),
            Told::Revoked(partitions) => give_up(&self.consumer, &partitions),
            Told::Committed { .. } => Ok(()),
        });
        let leaving = self.leaving.take().map(|(partitions, _)| give_up(&self.consumer, &partitions));
        for error in leaving.into_iter().chain(unheard).filter_map(Result::err) {
            tracing::debug!(%error, "a rebalance could not be answered while closing");
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{BatchLimits, kafka::shares::Limits};

    #[tokio::test]
    async fn who_waits_for_a_batch_hears_that_the_thread_panicked() {
        let limits = BatchLimits { max_records: 1, max_bytes: 1, window: Duration::ZERO };
        let shares = Arc::new(Shares::new(Limits::of(limits)));
        let thread = thread::spawn({
            let shares = Arc::clone(&shares);
            move || {
                let _ended = Ended(&shares);
                panic!("as a fault of ours would");
            }
        });
        assert!(shares.take().await.unwrap_err().to_string().contains("closed"));
        assert!(thread.join().is_err());
    }
}
