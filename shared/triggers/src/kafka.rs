//! MSK and self-managed Kafka (<https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>).

use aws_lambda_events::kafka::{KafkaEvent, KafkaRecord};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clickstream_log::{Batch, LoggedRecord, Record};

use crate::TriggerError;

/// The records of an event, a batch per topic and partition, in offset order.
pub fn batches(event: KafkaEvent) -> Result<Vec<Batch>, TriggerError> {
    let mut batches = Vec::new();
    for records in event.records.into_values() {
        let mut decoded = Vec::with_capacity(records.len());
        let (mut topic, mut partition) = (String::new(), 0);
        for record in records {
            topic = record.topic.clone().unwrap_or_default();
            partition = u32::try_from(record.partition).map_err(|_| TriggerError::Record { topic: topic.clone(), what: "partition" })?;
            decoded.push(decode(record, &topic)?);
        }
        if !decoded.is_empty() {
            decoded.sort_by_key(|r| r.offset);
            batches.push(Batch { topic, partition, records: decoded });
        }
    }
    batches.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(batches)
}

fn decode(record: KafkaRecord, topic: &str) -> Result<LoggedRecord, TriggerError> {
    let wrong = |what| TriggerError::Record { topic: topic.to_owned(), what };
    let bytes = |text: Option<String>, what| match text {
        Some(text) => STANDARD.decode(text).map(|b| Some(Bytes::from(b))).map_err(|_| wrong(what)),
        None => Ok(None),
    };
    let offset = u64::try_from(record.offset).map_err(|_| wrong("offset"))?;
    let headers =
        record.headers.into_iter().flatten().map(|(name, value)| (name, value.into_iter().map(i8::cast_unsigned).collect())).collect();
    let key = bytes(record.key, "key")?;
    let value = bytes(record.value, "value")?.unwrap_or_default();
    Ok(LoggedRecord { offset, appended_at: record.timestamp.0.timestamp_micros(), record: Record { key, value, headers } })
}
