//! What a spill object holds: NDJSON in a zstd frame with a checksum, one line a record, in the order of appending.

use std::{
    borrow::Cow,
    io::{Read as _, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clickstream_log::{EVENTS, MAX_RECORD_BYTES, REJECTED, Record};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Parcel;

/// Most bytes of an object decompressed. What a request of the largest size becomes takes about a tenth.
const MOST_BYTES: usize = 64 << 20;
/// Fast, and a third of the size.
const LEVEL: i32 = 1;

/// One record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    /// The record's own JSON, byte for byte.
    #[serde(borrow)]
    value: &'a RawValue,
    /// Names and values (base64).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

/// Records that cannot be written as a spill object; nothing that collect makes is.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// A key that is no text.
    #[error("a record's key is no UTF-8")]
    Key,
    /// A value that is no JSON on one line.
    #[error("a record's value is no JSON on one line")]
    Value,
    /// More than an object holds.
    #[error("the records take more than {MOST_BYTES} bytes")]
    TooMuch,
    /// The compressor failed.
    #[error("the records cannot be compressed: {0}")]
    Compress(#[from] std::io::Error),
}

/// An object that cannot be returned to the log, ever.
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    /// Cut, changed, or never zstd.
    #[error("it is no whole zstd frame: {0}")]
    Frame(#[from] std::io::Error),
    /// It grows over all measure.
    #[error("it takes more than {MOST_BYTES} bytes decompressed")]
    TooLarge,
    /// No record at all.
    #[error("it holds no records")]
    Empty,
    /// A line that is no record.
    #[error("line {line} is no record: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// The object that holds `parcels`.
pub fn encode(parcels: &[Parcel]) -> Result<Vec<u8>, Unwritable> {
    let mut plain = Vec::new();
    for parcel in parcels {
        for record in &parcel.records {
            let key = record.key.as_deref().map(|key| std::str::from_utf8(key).map(Cow::from)).transpose().map_err(|_| Unwritable::Key)?;
            let value: &RawValue = serde_json::from_slice(&record.value).map_err(|_| Unwritable::Value)?;
            if value.get().contains('\n') {
                return Err(Unwritable::Value);
            }
            let headers = record.headers.iter().map(|(name, value)| (name.clone(), STANDARD.encode(value))).collect();
            let line = Line { topic: parcel.topic.into(), key, value, headers };
            serde_json::to_writer(&mut plain, &line).map_err(std::io::Error::from)?;
            plain.push(b'\n');
        }
    }
    if plain.len() > MOST_BYTES {
        return Err(Unwritable::TooMuch);
    }
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(&plain)?;
    Ok(encoder.finish()?)
}

/// What the object `bytes` holds. Records that followed each other in one topic are one parcel.
pub fn decode(bytes: &[u8]) -> Result<Vec<Parcel>, Damaged> {
    let mut plain = Vec::new();
    zstd::stream::read::Decoder::new(bytes)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut plain)?;
    if plain.len() > MOST_BYTES {
        return Err(Damaged::TooLarge);
    }
    let mut parcels: Vec<Parcel> = Vec::new();
    for (index, line) in plain.split_inclusive(|b| *b == b'\n').enumerate() {
        let (topic, record) = record(line).map_err(|why| Damaged::Line { line: index + 1, why })?;
        match parcels.last_mut() {
            Some(parcel) if parcel.topic == topic => parcel.records.push(record),
            _ => parcels.push(Parcel { topic, records: vec![record] }),
        }
    }
    if parcels.is_empty() { Err(Damaged::Empty) } else { Ok(parcels) }
}

fn record(line: &[u8]) -> Result<(&'static str, Record), String> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let topic = [EVENTS, REJECTED].into_iter().find(|topic| *topic == line.topic);
    let topic = topic.ok_or_else(|| format!("the topic {:?} is neither {EVENTS} nor {REJECTED}", line.topic))?;
    let mut headers = Vec::with_capacity(line.headers.len());
    for (name, value) in line.headers {
        let value = STANDARD.decode(value).map_err(|e| format!("the header {name:?} is no base64: {e}"))?;
        headers.push((name, value.into()));
    }
    let value = Bytes::copy_from_slice(line.value.get().as_bytes());
    if value.len() > MAX_RECORD_BYTES {
        return Err(format!("it takes {} bytes, a record at most {MAX_RECORD_BYTES}", value.len()));
    }
    Ok((topic, Record { key: line.key.map(|key| key.into_owned().into()), value, headers }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(key: Option<&str>, value: &str) -> Record {
        Record { key: key.map(|k| k.to_owned().into()), value: value.to_owned().into(), headers: Vec::new() }
    }

    fn parcels() -> Vec<Parcel> {
        let rejected = vec![record(None, r#"{"original":"\n\"ё"}"#)];
        let mut events = vec![record(Some("shop:1"), r#"{"x":1.50,"y":1e2}"#), record(Some("a\"b"), "7")];
        events[1].headers.push(("traceparent".to_owned(), Bytes::from_static(b"\xff\x00")));
        vec![Parcel { topic: REJECTED, records: rejected }, Parcel { topic: EVENTS, records: events }]
    }

    fn packed(plain: &str) -> Vec<u8> {
        zstd::encode_all(plain.as_bytes(), 1).unwrap()
    }

    #[test]
    fn records_come_back_byte_for_byte_and_in_order() {
        assert_eq!(decode(&encode(&parcels()).unwrap()).unwrap(), parcels());
    }

    #[test]
    fn a_cut_or_changed_object_is_never_taken_for_a_whole_one() {
        let whole = encode(&parcels()).unwrap();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            // A bit of the frame's header may say nothing of its content.
            assert!(decode(&changed).is_ok_and(|taken| taken == parcels()) || decode(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let good = r#"{"topic":"events","key":"s:1","value":{}}"#;
        for (line, says) in [
            ("x", "expected value"),
            ("", "EOF"),
            (r#"{"topic":"inbound","key":null,"value":{}}"#, "neither events nor rejected"),
            (r#"{"topic":"events","key":null}"#, "value"),
            (r#"{"topic":"events","key":null,"value":{},"more":1}"#, "more"),
            (r#"{"topic":"events","key":null,"value":{},"headers":[["a","%"]]}"#, "base64"),
        ] {
            let error = decode(&packed(&format!("{good}\n{line}\n"))).unwrap_err().to_string();
            assert!(error.starts_with("line 2 ") && error.contains(says), "{line}: {error}");
        }
        assert!(matches!(decode(&packed("")), Err(Damaged::Empty)));
        let large = format!(r#"{{"topic":"events","key":null,"value":"{}"}}"#, "x".repeat(MAX_RECORD_BYTES));
        assert!(decode(&packed(&large)).unwrap_err().to_string().contains("a record at most"));
        let bomb = zstd::encode_all(std::io::repeat(b' ').take(MOST_BYTES as u64 + 1), 1).unwrap();
        assert!(matches!(decode(&bomb), Err(Damaged::TooLarge)));
    }

    #[test]
    fn what_no_object_can_hold_is_refused_before_it_is_written() {
        let of = |record| encode(&[Parcel { topic: EVENTS, records: vec![record] }]);
        assert!(matches!(of(record(None, "no JSON")), Err(Unwritable::Value)));
        assert!(matches!(of(record(None, "[1,\n2]")), Err(Unwritable::Value)));
        let key = Some(Bytes::from_static(b"\xff"));
        assert!(matches!(of(Record { key, ..record(None, "1") }), Err(Unwritable::Key)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), plain in ".{0,200}") {
            let _ = decode(&bytes);
            let _ = decode(&packed(&plain));
        }
    }
}
