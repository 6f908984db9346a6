//! Records of Amazon MSK and of Kafka of one's own, as Lambda hands them over
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>, <https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html>).

use aws_lambda_events::kafka::{KafkaEvent, KafkaRecord};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clickstream_log::{Batch, LoggedRecord, Record};
use clickstream_telemetry::metric;

use crate::{
    Answer, Error, Failures, TriggerError,
    answer::{Item, Outcome},
};

/// The records of one partition in an event.
pub struct Partition {
    /// `TOPIC-PARTITION`, as the event names it.
    pub name: String,
    /// Its records in offset order, up to the first that cannot be read.
    pub batch: Batch,
    /// The first that cannot be read, and why. It and all after it must come again.
    pub broken: Option<(u64, TriggerError)>,
}

/// Partitions of an event, by topic and number. An error names a record whose place is unknown.
pub fn partitions(event: KafkaEvent) -> Result<Vec<Partition>, TriggerError> {
    let mut partitions = Vec::new();
    for (name, mut records) in event.records {
        records.sort_by_key(|record| record.offset);
        let Some(first) = records.first() else { continue };
        let topic = first.topic.clone().unwrap_or_default();
        let number = u32::try_from(first.partition).map_err(|_| TriggerError::Record { topic: topic.clone(), what: "partition" })?;
        let (mut decoded, mut broken) = (Vec::with_capacity(records.len()), None);
        for record in records {
            let offset = u64::try_from(record.offset).map_err(|_| TriggerError::Record { topic: topic.clone(), what: "offset" })?;
            match decode(record, offset, &topic) {
                Ok(record) => decoded.push(record),
                Err(error) => {
                    broken = Some((offset, error));
                    break;
                }
            }
        }
        partitions.push(Partition { name, batch: Batch { topic, partition: number, records: decoded }, broken });
    }
    partitions.sort_by(|a, b| (&a.batch.topic, a.batch.partition).cmp(&(&b.batch.topic, b.batch.partition)));
    Ok(partitions)
}

fn decode(record: KafkaRecord, offset: u64, topic: &str) -> Result<LoggedRecord, TriggerError> {
    let wrong = |what| TriggerError::Record { topic: topic.to_owned(), what };
    let bytes = |text: Option<String>, what| match text {
        Some(text) => STANDARD.decode(text).map(|b| Some(Bytes::from(b))).map_err(|_| wrong(what)),
        None => Ok(None),
    };
    let headers =
        record.headers.into_iter().flatten().map(|(name, value)| (name, value.into_iter().map(i8::cast_unsigned).collect())).collect();
    let key = bytes(record.key, "key")?;
    let value = bytes(record.value, "value")?.unwrap_or_default();
    Ok(LoggedRecord { offset, appended_at: record.timestamp.0.timestamp_micros(), record: Record { key, value, headers } })
}

/// What is done with Kafka's records.
pub struct Records {
    function: &'static str,
    failures: Failures,
}

impl Records {
    /// For the function `function`, whose failures are reported or raised as the environment says.
    pub fn from_env(function: &'static str) -> Result<Self, TriggerError> {
        Ok(Self { function, failures: Failures::from_env()? })
    }

    /// Has `work` done with the batch of each partition. Where it fails, the partition comes again from the first record of
    /// its batch on, so that nothing is skipped; the others are done.
    pub async fn each<E>(&self, event: KafkaEvent, work: impl AsyncFn(&Batch) -> Result<(), E>) -> Result<Answer, Error>
    where
        E: Into<Error>,
    {
        let mut outcome = Outcome::default();
        for Partition { name, batch, broken } in partitions(event)? {
            let first = batch.records.first().map(|record| record.offset);
            let done = match first {
                Some(_) => work(&batch).await.map_err(Into::into),
                None => Ok(()),
            };
            let failed = match done {
                Err(error) => Some((first.unwrap_or_default(), error)),
                Ok(()) => broken.map(|(offset, error)| (offset, error.into())),
            };
            if let Some((offset, error)) = failed {
                tracing::error!(topic = batch.topic, partition = batch.partition, offset, %error, "records from this offset on come again");
                metrics::counter!(metric::BATCH_FAILURES, "group" => self.function).increment(1);
                outcome.failed(Some(Item::Records { partition: name, offset }), error, self.failures);
            }
        }
        outcome.answer()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    const MSK: &str = include_str!("../fixtures/msk.json");

    fn event(fixture: &str) -> KafkaEvent {
        serde_json::from_str(fixture).unwrap()
    }

    #[test]
    fn records_are_in_offset_order_whoever_sent_them() {
        for fixture in [MSK, include_str!("../fixtures/kafka.json")] {
            let found = partitions(event(fixture)).unwrap();
            let places: Vec<_> = found
                .iter()
                .map(|p| (p.name.as_str(), p.batch.partition, p.batch.records.iter().map(|r| r.offset).collect::<Vec<_>>()))
                .collect();
            assert_eq!(places, [("events-0", 0, vec![15, 16]), ("events-7", 7, vec![100])]);
            let record = &found[0].batch.records[0];
            assert_eq!((record.record.key.as_deref(), record.record.value.as_ref()), (Some(&b"shop:1"[..]), &b"{}"[..]));
            assert_eq!(record.record.headers, [("traceparent".to_owned(), Bytes::from_static(&[0x30, 0xc3, 0xa9]))]);
            assert_eq!((record.appended_at, found[1].batch.records[0].record.key.clone()), (1_795_514_400_000_000, None));
        }
    }

    /// What is answered, and which batches were worked on, by partition and first offset.
    async fn answered(event: KafkaEvent, failures: Failures, fails: u32) -> (Result<Answer, String>, Vec<(u32, usize)>) {
        let seen = RefCell::new(Vec::new());
        let records = Records { function: "land", failures };
        let work = async |batch: &Batch| {
            seen.borrow_mut().push((batch.partition, batch.records.len()));
            if batch.partition == fails { Err("the bucket is away") } else { Ok(()) }
        };
        let answer = records.each(event, work).await.map_err(|error| error.to_string());
        (answer, seen.into_inner())
    }

    #[tokio::test]
    async fn a_partition_that_fails_comes_again_and_the_others_are_done() {
        let (answer, seen) = answered(event(MSK), Failures::Reported, 0).await;
        assert_eq!(seen, [(0, 2), (7, 1)]);
        let wanted = json!({ "batchItemFailures": [{ "itemIdentifier": { "partition": "events-0", "offset": 15 } }] });
        assert_eq!(serde_json::to_value(answer.unwrap()).unwrap(), wanted);

        let (answer, seen) = answered(event(MSK), Failures::Raised, 0).await;
        assert_eq!((answer, seen.len()), (Err("the bucket is away".to_owned()), 2));
        let (answer, _) = answered(event(MSK), Failures::Reported, 99).await;
        assert_eq!(serde_json::to_value(answer.unwrap()).unwrap(), json!(null));
    }

    #[tokio::test]
    async fn what_follows_a_record_that_cannot_be_read_waits_for_it() {
        let broken = || event(&MSK.replacen("e30=", "e30", 1));
        let (answer, seen) = answered(broken(), Failures::Reported, 99).await;
        let answer = serde_json::to_value(answer.unwrap()).unwrap();
        let failed = &answer["batchItemFailures"][0]["itemIdentifier"];
        assert_eq!(failed["partition"], "events-0");
        let before = seen.iter().find(|(partition, _)| *partition == 0).map_or(0, |(_, records)| *records as u64);
        assert_eq!(failed["offset"].as_u64(), Some(15 + before));
        let (answer, _) = answered(broken(), Failures::Raised, 99).await;
        assert_eq!(answer.unwrap_err(), "a record of topic events has no usable value");
    }

    #[test]
    fn a_record_without_a_place_fails_the_whole() {
        let wrong = |from: &str, to: &str| partitions(event(&MSK.replacen(from, to, 1))).err().unwrap().to_string();
        assert!(wrong("\"offset\": 15", "\"offset\": -1").contains("no usable offset"));
    }
}
