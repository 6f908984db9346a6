//! Appends that go to the bucket while the log takes nothing.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use clickstream_log::{LogError, SharedLog};
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use clickstream_telemetry::metric;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{PREFIX, Parcel, Unwritable, breaker::Breaker, encode};

/// A log that does not answer within this time is unreachable. What it was asked for may still be done; the spilled
/// copy has the same event ids and counts once.
const LOG_WITHIN: Duration = Duration::from_secs(10);
/// A bucket must take an object within this time, all retries included: the sender waits.
const BUCKET_WITHIN: Duration = Duration::from_secs(5);

/// Where records are durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the log.
    Logged,
    /// In the bucket, at least in part; they return to the log.
    Spilled,
}

/// Records that are not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The log did not take them, and there is no bucket to spill to or the log refuses such records.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Neither the log nor the bucket took them.
    #[error("{log}; nor did the bucket take them: {bucket}")]
    Both {
        /// What the log said.
        log: LogError,
        /// What the bucket said.
        bucket: SpillError,
    },
}

/// An object that was not written.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The bucket did not take it.
    #[error(transparent)]
    Bucket(#[from] ObjectError),
    /// There is no such object.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

/// A log, and a bucket for when it takes nothing.
pub struct SpillingLog {
    log: SharedLog,
    bucket: Option<SharedObjects>,
    breaker: Breaker,
}

impl SpillingLog {
    /// The log alone: what it does not take is not kept.
    pub fn new(log: SharedLog) -> Self {
        Self { log, bucket: None, breaker: Breaker::new() }
    }

    /// Spills to `bucket`.
    #[must_use]
    pub fn with_bucket(mut self, bucket: SharedObjects) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Appends `parcels` one after the other; when this returns, all are durable. After the first that the log does
    /// not take, the rest goes to the bucket as one object, and for a second so does everything else. After an error
    /// parcels before it may stand in the log.
    pub async fn append(&self, mut parcels: Vec<Parcel>) -> Result<Kept, KeepError> {
        parcels.retain(|parcel| !parcel.records.is_empty());
        let Some(bucket) = &self.bucket else {
            for parcel in parcels {
                self.log.append(parcel.topic, parcel.records).await?;
            }
            return Ok(Kept::Logged);
        };
        let Some(pass) = self.breaker.pass() else {
            let Err(unspilled) = spill(bucket, &parcels).await else { return Ok(Kept::Spilled) };
            // The log is the last resort, rested or not.
            return match self.log(&parcels).await {
                Ok(()) => Ok(Kept::Logged),
                Err((_, log)) if unreachable(&log) => Err(KeepError::Both { log, bucket: unspilled }),
                Err((_, log)) => Err(log.into()),
            };
        };
        match self.log(&parcels).await {
            Ok(()) => {
                pass.worked();
                Ok(Kept::Logged)
            }
            Err((logged, error)) if unreachable(&error) => {
                if pass.failed() {
                    tracing::error!(%error, "the log takes nothing; events go to {PREFIX} of the bucket");
                }
                match spill(bucket, &parcels[logged..]).await {
                    Ok(()) => Ok(Kept::Spilled),
                    Err(unspilled) => Err(KeepError::Both { log: error, bucket: unspilled }),
                }
            }
            Err((_, refusal)) => {
                pass.worked();
                Err(refusal.into())
            }
        }
    }

    /// Waits until the log takes records after it took none.
    pub async fn is_back(&self) {
        self.breaker.back().await;
    }

    /// Appends copies; an error comes with the number of parcels that stand in the log.
    async fn log(&self, parcels: &[Parcel]) -> Result<(), (usize, LogError)> {
        for (logged, parcel) in parcels.iter().enumerate() {
            let late = || LogError::Unavailable(format!("no answer within {} s", LOG_WITHIN.as_secs()));
            let appended = timeout(LOG_WITHIN, self.log.append(parcel.topic, parcel.records.clone())).await;
            appended.unwrap_or_else(|_| Err(late())).map_err(|error| (logged, error))?;
        }
        Ok(())
    }
}

/// True if the log may take the same records when it is whole again; else it has refused them for what they are.
fn unreachable(error: &LogError) -> bool {
    match error {
        LogError::Unavailable(_) | LogError::Full | LogError::Corrupt(_) => true,
        LogError::UnknownTopic(_) | LogError::TooLarge { .. } => false,
    }
}

/// Writes `parcels` as one object that no other has the name of.
async fn spill(bucket: &SharedObjects, parcels: &[Parcel]) -> Result<(), SpillError> {
    let key = format!("{PREFIX}{}.ndjson.zst", Uuid::now_v7());
    let records: usize = parcels.iter().map(|parcel| parcel.records.len()).sum();
    let body = Bytes::from(encode(parcels)?);
    let options = PutOptions {
        condition: Condition::Absent,
        content_type: Some("application/zstd".to_owned()),
        metadata: BTreeMap::from([("records".to_owned(), records.to_string())]),
    };
    let late = || ObjectError::Unavailable(format!("no answer within {} s", BUCKET_WITHIN.as_secs()));
    let written = async {
        match bucket.put(&key, body.clone(), options).await {
            // The name is ours alone: an earlier try of this very call has arrived, or else nothing has.
            Err(ObjectError::PreconditionFailed(_)) if bucket.get(&key).await?.1 == body => Ok(()),
            written => written.map(drop),
        }
    };
    timeout(BUCKET_WITHIN, written).await.unwrap_or_else(|_| Err(late()))?;
    metrics::counter!(metric::SPILLED_OBJECTS).increment(1);
    metrics::counter!(metric::SPILLED_RECORDS).increment(records as u64);
    Ok(())
}
