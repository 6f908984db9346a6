//! A message of librdkafka as a record of the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers},
};

use crate::{LoggedRecord, Record};

/// Copies `message` out of librdkafka's buffers.
pub(super) fn record(message: &BorrowedMessage<'_>) -> LoggedRecord {
    let (key, payload) = (message.key(), message.payload().unwrap_or_default());
    // One allocation for both.
    let mut bytes = BytesMut::with_capacity(key.map_or(0, <[u8]>::len) + payload.len());
    bytes.extend_from_slice(key.unwrap_or_default());
    bytes.extend_from_slice(payload);
    let mut value = bytes.freeze();
    let key = key.map(|key| value.split_to(key.len()));
    LoggedRecord {
        offset: message.offset().max(0) as u64,
        appended_at: message.timestamp().to_millis().unwrap_or(0) * 1_000,
        record: Record { key, value, headers: headers(message) },
    }
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Bytes)> {
    let Some(headers) = message.headers() else { return Vec::new() };
    let all = || headers.iter().map(|h| (h.key.to_owned(), Bytes::copy_from_slice(h.value.unwrap_or_default()))).collect();
    // The library panics at a name that is no UTF-8. Other systems write topic `inbound`: a name of theirs must not
    // stop its consumer, and nothing needs headers to be understood.
    catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|_| {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        tracing::warn!(topic, partition, offset, "a record's headers have a name that is no UTF-8; it is read without headers");
        Vec::new()
    })
}
