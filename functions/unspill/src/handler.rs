//! The work: spill objects, oldest first, appended to the log and then removed.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clickstream_log::{EVENTS, LogError, REJECTED, Record, SharedLog};
use clickstream_objects::{ObjectError, ObjectInfo, PutOptions, SharedObjects};
use clickstream_spill::{PREFIX, Parcel, decode};
use clickstream_telemetry::metric;
use futures::future::join_all;
use serde::Serialize;
use tokio::{sync::Mutex, time::timeout};

use crate::UnspillError;

/// Objects listed at once.
const PAGE: usize = 1_000;
/// Objects read together and appended in one go.
const GROUP: usize = 16;
/// A log that does not answer within this time takes nothing.
const LOG_WITHIN: Duration = Duration::from_secs(30);
/// Where damaged objects are put aside.
const QUARANTINE: &str = "quarantine/spill/";

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unspilled {
    /// Objects whose records are in the log.
    pub objects: u64,
    /// Their records.
    pub records: u64,
    /// Damaged objects that were put aside.
    pub quarantined: u64,
    /// True if time ran out before everything was returned: run it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Returns spilled records to the log.
pub struct Unspill {
    log: SharedLog,
    objects: SharedObjects,
    /// Appended, and not yet removed: the bucket failed in between. Held for a whole run, so that runs of one process
    /// follow each other.
    appended: Mutex<BTreeSet<String>>,
}

/// An object that can be returned.
struct Whole {
    key: String,
    parcels: Vec<Parcel>,
}

/// What waits because the bucket failed.
#[derive(Default)]
struct Left {
    objects: u64,
    cause: Option<ObjectError>,
}

impl Left {
    fn behind(&mut self, key: &str, error: ObjectError) {
        tracing::warn!(key, %error, "a spill object waits");
        self.objects += 1;
        self.cause.get_or_insert(error);
    }
}

impl Unspill {
    /// Returns what stands in `objects` to `log`.
    pub fn new(log: SharedLog, objects: SharedObjects) -> Self {
        Self { log, objects, appended: Mutex::default() }
    }

    /// Returns everything that was spilled, oldest first. A run that ends in the middle, or two at once, append records
    /// twice; event ids make them count once.
    ///
    /// A damaged object is put aside under `quarantine/spill/`. One that the bucket does not give waits; neither keeps
    /// the others. The run ends at the first that the log does not take.
    pub async fn run(&self) -> Result<Unspilled, UnspillError> {
        self.run_within(Duration::MAX).await
    }

    /// The same, and no further objects are begun after `longest`.
    pub async fn run_within(&self, longest: Duration) -> Result<Unspilled, UnspillError> {
        let began = Instant::now();
        let mut appended = self.appended.lock().await;
        let (mut done, mut left) = (Unspilled::default(), Left::default());
        let mut after: Option<String> = None;
        'all: loop {
            let page = self.objects.list(PREFIX, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            // A console's folder is no object of ours.
            let keys: Vec<_> = page.into_iter().map(|object| object.key).filter(|key| !key.ends_with('/')).collect();
            for group in keys.chunks(GROUP) {
                if began.elapsed() > longest {
                    done.more = true;
                    break 'all;
                }
                self.group(group, &mut appended, &mut done, &mut left).await?;
            }
        }
        if done != Unspilled::default() {
            let Unspilled { objects, records, quarantined, more } = done;
            tracing::info!(objects, records, quarantined, more, "spilled records are back in the log");
        }
        match left.cause {
            Some(cause) => Err(UnspillError::Waiting { objects: left.objects, cause }),
            None => Ok(done),
        }
    }

    async fn group(
        &self,
        keys: &[String],
        appended: &mut BTreeSet<String>,
        done: &mut Unspilled,
        left: &mut Left,
    ) -> Result<(), UnspillError> {
        let read = keys.iter().filter(|key| !appended.contains(*key)).map(|key| async move { (key, self.objects.get(key).await) });
        let mut whole = Vec::with_capacity(keys.len());
        for (key, got) in join_all(read).await {
            match got {
                Ok((info, bytes)) => match decode(&bytes) {
                    Ok(parcels) => whole.push(Whole { key: key.clone(), parcels }),
                    Err(damage) => self.quarantine(&info, bytes, &damage.to_string(), done, left).await,
                },
                // Another run was faster.
                Err(ObjectError::NotFound(_)) => {}
                Err(error) => left.behind(key, error),
            }
        }
        match self.append(&whole).await {
            Ok(()) => note(&whole, appended, done),
            Err(LogError::TooLarge { .. }) => self.one_by_one(whole, appended, done, left).await?,
            Err(error) => return Err(error.into()),
        }
        let removed = keys.iter().filter(|key| appended.contains(*key)).map(|key| async move { (key, self.objects.delete(key).await) });
        let removed: Vec<_> = join_all(removed).await;
        for (key, outcome) in removed {
            match outcome {
                Ok(()) => drop(appended.remove(key)),
                Err(error) => left.behind(key, error),
            }
        }
        Ok(())
    }

    /// The log refuses a record of some object; that one is put aside.
    async fn one_by_one(
        &self,
        whole: Vec<Whole>,
        appended: &mut BTreeSet<String>,
        done: &mut Unspilled,
        left: &mut Left,
    ) -> Result<(), UnspillError> {
        for one in whole {
            match self.append(std::slice::from_ref(&one)).await {
                Ok(()) => note(&[one], appended, done),
                Err(LogError::TooLarge { size, limit }) => {
                    let why = LogError::TooLarge { size, limit }.to_string();
                    match self.objects.get(&one.key).await {
                        Ok((info, bytes)) => self.quarantine(&info, bytes, &why, done, left).await,
                        Err(error) => left.behind(&one.key, error),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Appends the records of all objects, topic by topic, each in order. Events first: they count once however often
    /// they are appended, while a rejection is listed as often as it was.
    async fn append(&self, whole: &[Whole]) -> Result<(), LogError> {
        for topic in [EVENTS, REJECTED] {
            let of_topic = whole.iter().flat_map(|one| &one.parcels).filter(|parcel| parcel.topic == topic);
            let records: Vec<Record> = of_topic.flat_map(|parcel| parcel.records.iter().cloned()).collect();
            if records.is_empty() {
                continue;
            }
            let late = || LogError::Unavailable(format!("no answer within {} s", LOG_WITHIN.as_secs()));
            timeout(LOG_WITHIN, self.log.append(topic, records)).await.unwrap_or_else(|_| Err(late()))?;
        }
        Ok(())
    }

    /// Moves an object that can never be returned out of the way of the others, for an operator to look at.
    async fn quarantine(&self, object: &ObjectInfo, bytes: Bytes, why: &str, done: &mut Unspilled, left: &mut Left) {
        let to = format!("{QUARANTINE}{}", object.key.strip_prefix(PREFIX).unwrap_or(&object.key));
        let moved = async {
            self.objects.put(&to, bytes, PutOptions::default()).await?;
            self.objects.delete(&object.key).await
        };
        if let Err(error) = moved.await {
            left.behind(&object.key, error);
            return;
        }
        tracing::error!(key = object.key, to, why, "a spill object is damaged and was put aside: its events are not in the log");
        metrics::counter!(metric::UNSPILLED_OBJECTS, "outcome" => "quarantined").increment(1);
        done.quarantined += 1;
    }
}

/// Counts objects whose records are in the log, and has them removed.
fn note(whole: &[Whole], appended: &mut BTreeSet<String>, done: &mut Unspilled) {
    let records: usize = whole.iter().flat_map(|one| &one.parcels).map(|parcel| parcel.records.len()).sum();
    done.objects += whole.len() as u64;
    done.records += records as u64;
    metrics::counter!(metric::UNSPILLED_OBJECTS, "outcome" => "returned").increment(whole.len() as u64);
    metrics::counter!(metric::UNSPILLED_RECORDS).increment(records as u64);
    appended.extend(whole.iter().map(|one| one.key.clone()));
}
