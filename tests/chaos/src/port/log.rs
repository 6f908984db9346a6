//! The log: topics of partitions, and groups that read them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use clickstream_log::{
    Batch, BatchLimits, Consumer, Extent, Log, LogError, LoggedRecord, MAX_RECORD_BYTES, Position, Record, partition_for,
};
use rand::{RngExt as _, seq::IteratorRandom as _};

use crate::{
    fault::{Boundary, Fault},
    life::{Life, Share},
};

/// The log's identity.
pub const LOG_ID: &str = "sim";
/// Most records of a batch.
const BATCH: usize = 30;

/// A partition in a group.
#[derive(Clone, Debug, Default)]
struct Claim {
    committed: u64,
    holder: u64,
    /// Counts how often it went to another; who held it before may neither commit nor rewind.
    epoch: u64,
    in_hand: bool,
}

/// A batch in a member's hands.
#[derive(Clone, Debug)]
pub struct InHand {
    pub batch: Arc<Batch>,
    epoch: u64,
}

type Place = (String, String, u32);

#[derive(Default)]
struct State {
    topics: BTreeMap<String, Vec<Vec<LoggedRecord>>>,
    /// Groups, the topics they read, and their members.
    groups: BTreeMap<String, (Vec<String>, Vec<u64>)>,
    claims: BTreeMap<Place, Claim>,
    members: u64,
}

/// What the log holds.
#[derive(Default)]
pub struct Topics(Mutex<State>);

impl Topics {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn create(&self, topic: &str, partitions: u32) {
        let mut state = self.state();
        let standing = state.topics.entry(topic.to_owned()).or_default();
        let count = standing.len().max(partitions as usize);
        standing.resize_with(count, Vec::new);
    }

    /// The records of each partition.
    pub fn records(&self, topic: &str) -> Vec<Vec<LoggedRecord>> {
        self.state().topics.get(topic).cloned().unwrap_or_default()
    }

    /// The offset after a partition's last record.
    pub fn next_offset(&self, topic: &str, partition: u32) -> u64 {
        self.state().topics.get(topic).and_then(|partitions| partitions.get(partition as usize)).map_or(0, |records| records.len() as u64)
    }

    /// How many records all partitions have.
    pub fn count(&self, topic: &str) -> u64 {
        self.state().topics.get(topic).map_or(0, |partitions| partitions.iter().map(|records| records.len() as u64).sum())
    }

    /// True if a group has done what its topics hold.
    pub fn is_done(&self, group: &str) -> bool {
        let state = self.state();
        let Some((topics, _)) = state.groups.get(group) else { return true };
        let done = |topic: &String, partition: usize| {
            state.claims.get(&(group.to_owned(), topic.clone(), partition as u32)).map_or(0, |claim| claim.committed)
        };
        topics.iter().all(|topic| {
            let partitions = state.topics.get(topic).map_or(&[][..], Vec::as_slice);
            partitions.iter().enumerate().all(|(partition, records)| done(topic, partition) >= records.len() as u64)
        })
    }

    pub fn partitions(&self, topic: &str) -> u32 {
        self.state().topics.get(topic).map_or(0, |partitions| partitions.len() as u32)
    }

    /// A new member of a group; partitions are divided anew.
    pub fn join(&self, group: &str, topics: &[&str]) -> u64 {
        let mut state = self.state();
        state.members += 1;
        let member = state.members;
        let standing = state.groups.entry(group.to_owned()).or_default();
        standing.0 = topics.iter().map(|topic| (*topic).to_owned()).collect();
        standing.1.push(member);
        state.divide(group);
        member
    }

    /// A member is gone.
    pub fn leave(&self, group: &str, member: u64) {
        let mut state = self.state();
        if let Some((_, members)) = state.groups.get_mut(group) {
            members.retain(|other| *other != member);
        }
        state.divide(group);
    }

    /// Some partition goes to some member, perhaps the one that has it.
    pub fn reassign(&self, random: &mut impl rand::Rng) -> bool {
        let mut state = self.state();
        let Some(place) = state.claims.keys().choose(random).cloned() else { return false };
        let Some(holder) = state.groups.get(&place.0).and_then(|(_, members)| members.iter().choose(random)).copied() else { return false };
        state.claims.get_mut(&place).is_some_and(|claim| {
            claim.hand_over(holder);
            true
        })
    }

    /// True if something waits for the member.
    pub fn has_work(&self, group: &str, member: u64) -> bool {
        let mut state = self.state();
        state.claim_new(group);
        !state.open(group, member).is_empty()
    }

    fn take(&self, group: &str, member: u64, random: &mut impl rand::Rng) -> Option<InHand> {
        let mut state = self.state();
        let place = state.open(group, member).into_iter().choose(random)?;
        let (_, topic, partition) = &place;
        let claim = state.claims.get(&place)?;
        let waiting = &state.topics.get(topic)?[*partition as usize][claim.committed as usize..];
        let count = random.random_range(1..=waiting.len().min(BATCH));
        let batch = Arc::new(Batch { topic: topic.clone(), partition: *partition, records: waiting[..count].to_vec() });
        let claim = state.claims.get_mut(&place)?;
        claim.in_hand = true;
        Some(InHand { batch, epoch: claim.epoch })
    }

    fn end(&self, group: &str, in_hand: &InHand, commit: bool) -> bool {
        let place = (group.to_owned(), in_hand.batch.topic.clone(), in_hand.batch.partition);
        let mut state = self.state();
        let Some(claim) = state.claims.get_mut(&place).filter(|claim| claim.epoch == in_hand.epoch) else { return false };
        claim.in_hand = false;
        if commit {
            claim.committed = in_hand.batch.next_offset();
        }
        true
    }

    fn append(&self, topic: &str, records: &[Record], only: Option<&BTreeSet<u32>>) -> Option<Vec<Position>> {
        let mut state = self.state();
        let partitions = state.topics.get_mut(topic)?;
        let mut positions = Vec::with_capacity(records.len());
        for record in records {
            let partition = record.key.as_ref().map_or(0, |key| partition_for(key, partitions.len() as u32));
            if only.is_some_and(|only| !only.contains(&partition)) {
                continue;
            }
            let stands = &mut partitions[partition as usize];
            let offset = stands.len() as u64;
            stands.push(LoggedRecord { offset, appended_at: 0, record: record.clone() });
            positions.push(Position { partition, offset });
        }
        Some(positions)
    }
}

impl Claim {
    fn hand_over(&mut self, holder: u64) {
        self.holder = holder;
        self.epoch += 1;
        self.in_hand = false;
    }
}

impl State {
    /// Divides a group's partitions among its members.
    fn divide(&mut self, group: &str) {
        let Some((topics, members)) = self.groups.get(group).cloned() else { return };
        for topic in topics {
            for partition in 0..self.topics.get(&topic).map_or(0, Vec::len) as u32 {
                let holder = members.get(partition as usize % members.len().max(1)).copied().unwrap_or(0);
                self.claims.entry((group.to_owned(), topic.clone(), partition)).or_default().hand_over(holder);
            }
        }
    }

    /// Partitions that were added are found.
    fn claim_new(&mut self, group: &str) {
        let Some((topics, _)) = self.groups.get(group) else { return };
        let known = |topic: &String| self.claims.keys().filter(|(g, t, _)| g == group && t == topic).count();
        if topics.iter().any(|topic| known(topic) < self.topics.get(topic).map_or(0, Vec::len)) {
            self.divide(group);
        }
    }

    fn open(&self, group: &str, member: u64) -> Vec<Place> {
        let waits =
            |topic: &str, partition: u32, from: u64| self.topics.get(topic).is_some_and(|p| p[partition as usize].len() as u64 > from);
        let of_member = self.claims.iter().filter(|((of, ..), claim)| of == group && claim.holder == member && !claim.in_hand);
        of_member
            .filter(|((_, topic, partition), claim)| waits(topic, *partition, claim.committed))
            .map(|(place, _)| place.clone())
            .collect()
    }
}

/// The log as one process reaches it.
pub struct LogPort {
    topics: Arc<Topics>,
    life: Arc<Life>,
}

fn unavailable() -> LogError {
    LogError::Unavailable("the seed says so".to_owned())
}

impl LogPort {
    pub fn new(topics: &Arc<Topics>, life: &Arc<Life>) -> Self {
        Self { topics: Arc::clone(topics), life: Arc::clone(life) }
    }

    /// A batch for a member, if one waits; cut anew each time.
    pub async fn take(&self, group: &'static str, member: u64) -> Result<Option<InHand>, LogError> {
        let (topics, sim) = (Arc::clone(&self.topics), Arc::clone(&self.life.sim));
        let taken =
            self.life.perform(Boundary::LogRead, &[Fault::NotDone], move |_| sim.random(|random| topics.take(group, member, random)));
        taken.await.map_err(|_| unavailable())
    }

    /// The batch is done; false if its partition has gone to another.
    pub async fn commit(&self, group: &'static str, in_hand: &InHand) -> Result<(), LogError> {
        let (topics, done) = (Arc::clone(&self.topics), in_hand.clone());
        let can = &[Fault::NotDone, Fault::Unanswered];
        let committed = self.life.perform(Boundary::OffsetCommit, can, move |_| topics.end(group, &done, true)).await;
        if committed.map_err(|_| unavailable())? { Ok(()) } else { Err(unavailable()) }
    }

    /// The batch is to come again.
    pub fn rewind(&self, group: &'static str, in_hand: &InHand) {
        self.topics.end(group, in_hand, false);
    }
}

#[async_trait]
impl Log for LogPort {
    async fn log_id(&self) -> Result<String, LogError> {
        Ok(LOG_ID.to_owned())
    }

    async fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), LogError> {
        self.topics.create(topic, partitions);
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        if let Some(record) = records.iter().find(|r| r.value.len() > MAX_RECORD_BYTES) {
            return Err(LogError::TooLarge { size: record.value.len(), limit: MAX_RECORD_BYTES });
        }
        #[cfg(feature = "faults")]
        let records =
            if self.life.name == "replay" && self.life.sim.broken(crate::Switch::ReplayNewId) { renamed(records) } else { records };
        let (topics, topic, life) = (Arc::clone(&self.topics), topic.to_owned(), Arc::clone(&self.life));
        let can = &[Fault::NotDone, Fault::Unanswered, Fault::Part, Fault::Late];
        let appended = self.life.perform(Boundary::LogAppend, can, move |share| {
            #[cfg(feature = "faults")]
            if life.sim.broken(crate::Switch::AnswerBeforeDurable) {
                let (topics, topic, records) = (Arc::clone(&topics), topic.clone(), records.clone());
                life.sim.later(&life, true, move || drop(topics.append(&topic, &records, None)));
                return Some(Vec::new());
            }
            let some = (share == Share::Part).then(|| {
                let partitions = topics.partitions(&topic);
                life.sim.random(|random| (0..partitions).filter(|_| random.random_bool(0.5)).collect())
            });
            topics.append(&topic, &records, some.as_ref())
        });
        appended.await.map_err(|_| unavailable())?.ok_or_else(|| LogError::UnknownTopic("no such topic".to_owned()))
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, max_records: usize, _: usize) -> Result<Vec<LoggedRecord>, LogError> {
        if self.life.fails(Boundary::LogRead, &format!("{topic}/{partition}/{from}")) {
            return Err(unavailable());
        }
        let records = self.topics.records(topic);
        let of_partition = records.get(partition as usize).into_iter().flatten();
        Ok(of_partition.filter(|r| r.offset >= from).take(max_records).cloned().collect())
    }

    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        let records = self.topics.records(topic);
        Ok((0..).zip(&records).map(|(partition, r)| Extent { partition, start: 0, end: r.len() as u64 }).collect())
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        let state = self.topics.state();
        let of_topic = state.claims.iter().filter(|((g, t, _), _)| g == group && t == topic);
        Ok(of_topic.map(|((.., partition), claim)| (*partition, Some(claim.committed))).collect())
    }

    async fn subscribe(&self, _: &str, _: &[&str], _: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        Err(LogError::Unavailable("actors take their batches by LogPort::take".to_owned()))
    }

    async fn expire(&self, _: &str, _: u32, _: u64) -> Result<(), LogError> {
        Ok(())
    }
}

/// Records of the same events under other ids.
#[cfg(feature = "faults")]
fn renamed(records: Vec<Record>) -> Vec<Record> {
    let other = |record: Record| {
        let mut event: serde_json::Value = serde_json::from_slice(&record.value).unwrap_or_default();
        let id = uuid::Uuid::new_v4();
        event["event_id"] = id.to_string().into();
        let key = format!("{}:{id}", event["site_id"].as_str().unwrap_or_default());
        Record { key: Some(key.into_bytes().into()), value: event.to_string().into_bytes().into(), ..record }
    };
    records.into_iter().map(other).collect()
}
