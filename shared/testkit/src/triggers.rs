//! Events as Lambda's triggers send them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// A recorded event of `shared/triggers/fixtures`, such as `alb`.
///
/// # Panics
/// If there is none of that name.
pub fn recorded(name: &str) -> Value {
    let file = format!("{}/../triggers/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Events that SQS brings, a message for each, named `m-0`, `m-1`, ….
pub fn by_sqs(events: &[Value]) -> Value {
    let message = |(n, event): (usize, &Value)| {
        json!({ "messageId": format!("m-{n}"), "receiptHandle": "h", "body": event.to_string(), "attributes": {}, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:announced", "awsRegion": "eu-central-1" })
    };
    json!({ "Records": events.iter().enumerate().map(message).collect::<Vec<_>>() })
}

/// What S3 leaves as it is in a key.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// A key as S3 announces it: `+` for a space, `%` for the rest.
pub fn encoded_key(key: &str) -> String {
    utf8_percent_encode(key, &KEPT).to_string().replace(' ', "+")
}

/// The notification that an object was created
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
pub fn object_created(bucket: &str, key: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1", "eventTime": "2026-11-24T10:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": { "principalId": "AWS:P" },
        "requestParameters": { "sourceIPAddress": "198.51.100.7" },
        "responseElements": { "x-amz-request-id": "R", "x-amz-id-2": "I" },
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "c",
            "bucket": { "name": bucket, "ownerIdentity": { "principalId": "P" }, "arn": format!("arn:aws:s3:::{bucket}") },
            "object": { "key": encoded_key(key), "size": 1, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0055AED6DCD90281E5" }
        }
    }] })
}

/// Records of one partition, the first at `offset` (<https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>).
pub fn kafka(topic: &str, partition: u32, offset: u64, values: &[Vec<u8>]) -> Value {
    let record = |(at, value): (u64, &Vec<u8>)| {
        json!({
            "topic": topic, "partition": partition, "offset": at, "timestamp": 1_795_514_400_000_i64, "timestampType": "CREATE_TIME",
            "key": STANDARD.encode("shop:1"), "value": STANDARD.encode(value), "headers": []
        })
    };
    let records: Vec<Value> = (offset..).zip(values).map(record).collect();
    json!({ "eventSource": "aws:kafka", "bootstrapServers": "b:9092", "records": { format!("{topic}-{partition}"): records } })
}
