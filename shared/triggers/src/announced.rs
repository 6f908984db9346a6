//! That objects were put into a bucket, in whichever form it comes: from S3 itself, by SQS, by SNS, by SNS and SQS, or by
//! `EventBridge`
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>).

use clickstream_objects::Notification;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// Longest part of an event that an error shows, characters.
const SHOWN: usize = 200;

/// One message: what Lambda can be told to try again alone.
#[derive(Debug)]
pub struct Announced {
    /// The queue's name for the message; none where no queue brought it.
    pub message: Option<String>,
    /// What was put; none where it announces something else, such as that the bucket was connected (`s3:TestEvent`).
    pub objects: Result<Vec<Notification>, Unreadable>,
}

/// What is no announcement.
#[derive(Debug, thiserror::Error)]
#[error("this announces no object, neither as S3 does, nor SQS, SNS or EventBridge: {0}")]
pub struct Unreadable(String);

/// The messages of an event; none where the event is something else, such as a schedule's.
pub fn announced(event: &Value) -> Option<Vec<Announced>> {
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        let is_ours = event.get("Event").is_some() || event.get("detail-type").and_then(Value::as_str).is_some_and(is_of_an_object);
        return is_ours.then(|| vec![Announced { message: None, objects: objects(event, 0) }]);
    };
    let by = |name: &str| records.iter().any(|r| r.get("eventSource").or_else(|| r.get("EventSource")).is_some_and(|by| by == name));
    Some(if by("aws:sqs") {
        records.iter().map(|record| Announced { message: text(record, "messageId"), objects: within(record.get("body")) }).collect()
    } else if by("aws:sns") {
        let messages = records.iter().map(|record| record.get("Sns").and_then(|sns| sns.get("Message")));
        messages.map(|message| Announced { message: None, objects: within(message) }).collect()
    } else {
        vec![Announced { message: None, objects: objects(event, 0) }]
    })
}

/// The objects that one announcement names, as S3 or `MinIO` sends it elsewhere than to Lambda: to a webhook, or to a topic.
pub fn notifications(announcement: &[u8]) -> Result<Vec<Notification>, Unreadable> {
    let event = serde_json::from_slice(announcement).map_err(|_| unreadable(&String::from_utf8_lossy(announcement)))?;
    objects(&event, 0)
}

/// The announcement that the text of a message is.
fn within(message: Option<&Value>) -> Result<Vec<Notification>, Unreadable> {
    let text = message.and_then(Value::as_str).unwrap_or_default();
    objects(&serde_json::from_str(text).map_err(|_| unreadable(text))?, 0)
}

fn objects(event: &Value, depth: u32) -> Result<Vec<Notification>, Unreadable> {
    let wrong = || unreadable(&event.to_string());
    if event.get("Records").is_some() {
        let read = Records::deserialize(event).map_err(|_| wrong())?;
        return read.records.into_iter().filter(Record::is_of_a_new_object).map(|record| record.notification().ok_or_else(wrong)).collect();
    }
    match event.get("detail-type").and_then(Value::as_str) {
        Some("Object Created") => {
            let Detail { bucket, object } = event.get("detail").and_then(|detail| Detail::deserialize(detail).ok()).ok_or_else(wrong)?;
            // EventBridge has the key as it is, where S3 encodes it.
            return Ok(vec![object.notification(bucket.name, ToOwned::to_owned)]);
        }
        Some(other) if is_of_an_object(other) => return Ok(Vec::new()),
        _ => {}
    }
    if event.get("Event").is_some_and(|name| name == "s3:TestEvent") {
        return Ok(Vec::new());
    }
    // A topic's message in a queue, where the subscription has no raw delivery.
    match event.get("Message").and_then(Value::as_str) {
        Some(message) if depth == 0 => objects(&serde_json::from_str(message).map_err(|_| wrong())?, 1),
        _ => Err(wrong()),
    }
}

/// `Object Created`, `Object Deleted`, and their like.
fn is_of_an_object(detail_type: &str) -> bool {
    detail_type.starts_with("Object ")
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

pub fn unreadable(text: &str) -> Unreadable {
    Unreadable(text.chars().take(SHOWN).collect())
}

/// S3's own event.
#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: Option<String>,
    s3: Option<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    size: Option<u64>,
}

impl Record {
    /// `ObjectCreated:Put` and its like; `MinIO` has `s3:` before it.
    fn is_of_a_new_object(&self) -> bool {
        self.name.as_deref().is_none_or(|name| name.contains("ObjectCreated"))
    }

    fn notification(self) -> Option<Notification> {
        let Detail { bucket, object } = self.s3?;
        Some(object.notification(bucket.name, decoded))
    }
}

impl Object {
    fn notification(self, bucket: String, key: impl Fn(&str) -> String) -> Notification {
        let etag = self.etag.unwrap_or_default().trim_matches('"').to_owned();
        Notification { bucket, key: key(&self.key), etag, size: self.size.unwrap_or(0) }
    }
}

/// A key as S3 encodes it, decoded once: `+` for a space, `%` for the rest.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}
