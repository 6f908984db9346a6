//! Files as they were sent: originals in the inbox, receipts that list rejected lines, and what was put in quarantine.
//!
//! An original that was taken is of no further use, so one that names the person goes whole.

use std::io::{Cursor, Read, Write as _};

use bytes::Bytes;
use clickstream_columns::read_parquet;
use clickstream_erasure::text_names;
use clickstream_objects::{Condition, ObjectError, ObjectInfo, PutOptions};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;

use crate::{Erase, EraseError, Erasure, error::cut_off};

/// Objects listed at a time.
const PAGE: usize = 1_000;
/// Largest object that is looked through, bytes.
pub(crate) const LARGEST: u64 = 512 << 20;
/// Bytes looked through at a time; an id that lies across two of them is found in the overlap.
const WINDOW: usize = 1 << 20;

impl Erase {
    pub(crate) async fn erase_files(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let site = erasure.site_id.clone();
        for prefix in [format!("inbox/{site}/"), format!("quarantine/{site}/"), "quarantine/spill/".to_owned()] {
            for object in self.all(&prefix).await?.into_iter().filter(|o| !o.key.ends_with('/')) {
                self.erase_file(erasure, &object).await?;
            }
        }
        for object in self.all(&format!("receipts/{site}/")).await? {
            self.erase_lines(erasure, &object).await?;
        }
        Ok(())
    }

    async fn all(&self, prefix: &str) -> Result<Vec<ObjectInfo>, EraseError> {
        let mut found: Vec<ObjectInfo> = Vec::new();
        loop {
            let after = found.last().map(|last| last.key.clone());
            let page = self.objects.list(prefix, after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn erase_file(&self, erasure: &mut Erasure, object: &ObjectInfo) -> Result<(), EraseError> {
        if object.size > LARGEST {
            erasure.leave(&object.key, "too large to look through; it goes when files of the inbox expire");
            return Ok(());
        }
        let bytes = match self.objects.get(&object.key).await {
            Ok((_, bytes)) => bytes,
            Err(ObjectError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let (ids, name) = (ids(erasure), object.key.clone());
        if !tokio::task::spawn_blocking(move || holds(&name, bytes, &ids)).await.map_err(cut_off)? {
            return Ok(());
        }
        if !self.is_taken(&erasure.site_id, object).await? {
            erasure.leave(&object.key, "it names the person and is not taken yet; remove it once it has its receipt");
            return Ok(());
        }
        self.objects.delete(&object.key).await?;
        erasure.left.retain(|left| left.key != object.key);
        erasure.deleted.insert(object.key.clone());
        erasure.removed.files += 1;
        erasure.save(&self.objects).await
    }

    /// True if nothing will be read of it any more: it has its receipt, or is in quarantine.
    async fn is_taken(&self, site: &str, object: &ObjectInfo) -> Result<bool, EraseError> {
        let Some(name) = object.key.strip_prefix(&format!("inbox/{site}/")) else { return Ok(true) };
        match self.objects.head(&format!("receipts/{site}/{name}-{}.json", object.etag)).await {
            Ok(_) => Ok(true),
            Err(ObjectError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes rejected lines that name the person out of a receipt or its companion.
    async fn erase_lines(&self, erasure: &mut Erasure, object: &ObjectInfo) -> Result<(), EraseError> {
        let (info, bytes) = match self.objects.get(&object.key).await {
            Ok(found) => found,
            Err(ObjectError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let ids = ids(erasure);
        let (body, lines) = if object.key.ends_with(".ndjson.gz") { companion(&bytes, &ids) } else { receipt(&bytes, &ids) };
        if lines == 0 {
            return Ok(());
        }
        let options = PutOptions { condition: Condition::Matches(info.etag), metadata: info.metadata, ..PutOptions::default() };
        match self.objects.put(&object.key, body.into(), options).await {
            Ok(_) => {}
            Err(ObjectError::PreconditionFailed(_) | ObjectError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        erasure.removed.receipt_lines += lines;
        erasure.rewritten.insert(object.key.clone());
        erasure.save(&self.objects).await
    }
}

pub(crate) fn ids(erasure: &Erasure) -> Vec<String> {
    erasure.persons.iter().map(|person| person.id().to_owned()).collect()
}

/// A receipt without listed lines that name one of `ids`, and how many they were.
fn receipt(bytes: &[u8], ids: &[String]) -> (Vec<u8>, u64) {
    let Ok(mut receipt) = serde_json::from_slice::<Value>(bytes) else { return (Vec::new(), 0) };
    let Some(lines) = receipt.get_mut("rejected_lines").and_then(Value::as_array_mut) else { return (Vec::new(), 0) };
    let before = lines.len();
    lines.retain(|line| !ids.iter().any(|id| text_names(line.to_string().as_bytes(), id)));
    let gone = (before - lines.len()) as u64;
    (serde_json::to_vec_pretty(&receipt).unwrap_or_default(), gone)
}

/// The same of the companion that lists every rejected line.
fn companion(bytes: &[u8], ids: &[String]) -> (Vec<u8>, u64) {
    let mut plain = Vec::new();
    if MultiGzDecoder::new(bytes).take(LARGEST).read_to_end(&mut plain).is_err() {
        return (Vec::new(), 0);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let mut gone = 0;
    for line in plain.split_inclusive(|b| *b == b'\n') {
        if ids.iter().any(|id| text_names(line, id)) {
            gone += 1;
        } else if packed.write_all(line).is_err() {
            return (Vec::new(), 0);
        }
    }
    packed.finish().map_or((Vec::new(), 0), |bytes| (bytes, gone))
}

/// True if a file of that name holds one of `ids`, unpacked as its name says, as far as it goes.
pub(crate) fn holds(name: &str, bytes: Bytes, ids: &[String]) -> bool {
    let lower = name.to_ascii_lowercase();
    // What was cut or never packed is looked at as it is, too.
    let unpacked = match lower.rsplit('.').next() {
        Some("parquet") => return parquet_holds(&bytes, ids).unwrap_or_else(|| search(Cursor::new(bytes), ids)),
        Some("gz") => search(MultiGzDecoder::new(Cursor::new(bytes.clone())), ids),
        Some("zst") => zstd::Decoder::new(Cursor::new(bytes.clone())).is_ok_and(|decoder| search(decoder, ids)),
        Some("br") => search(brotli::Decompressor::new(Cursor::new(bytes.clone()), 4_096), ids),
        _ => false,
    };
    unpacked || search(Cursor::new(bytes), ids)
}

fn search(mut reader: impl Read, ids: &[String]) -> bool {
    let overlap = ids.iter().map(|id| 6 * id.len() + 2).max().unwrap_or(0);
    let mut window: Vec<u8> = Vec::with_capacity(WINDOW + overlap);
    loop {
        let kept = window.len().min(overlap);
        window.drain(..window.len() - kept);
        // An error ends what can be read.
        let read = reader.by_ref().take(WINDOW as u64).read_to_end(&mut window).unwrap_or(0);
        if ids.iter().any(|id| text_names(&window, id)) {
            return true;
        }
        if read == 0 {
            return false;
        }
    }
}

fn parquet_holds(bytes: &Bytes, ids: &[String]) -> Option<bool> {
    for batch in read_parquet(bytes.clone()).ok()? {
        let mut rows = arrow::json::LineDelimitedWriter::new(Vec::new());
        rows.write(&batch).ok()?;
        let text = rows.into_inner();
        if ids.iter().any(|id| text_names(&text, id)) {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_through_however_it_is_packed() {
        let ids = ["ann@shop.example".to_owned(), "а-1".to_owned()];
        let text = format!("{}id,userId\n1,ann@shop.example\n", "x".repeat(3 * WINDOW - 20));
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        for (name, bytes) in [
            ("a.csv", text.clone().into_bytes()),
            ("a.csv.gz", gz.finish().unwrap()),
            ("a.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
            ("a.ndjson", br#"{"userId":"\u0430-1"} {"userId":"x"} "#.iter().chain("{\"userId\":\"а-1\"}".as_bytes()).copied().collect()),
        ] {
            assert!(holds(name, bytes.into(), &ids), "{name}");
        }
        assert!(!holds("a.csv", Bytes::from_static(b"id\njoann@shop.example2\n"), &ids));
        assert!(!holds("a.gz", Bytes::from_static(b"no gzip"), &ids));
        assert!(holds("a.zst", Bytes::from_static(b"no zstd of ann@shop.example"), &ids));
    }

    #[test]
    fn listed_lines_that_name_somebody_go_and_counts_stay() {
        let text = br#"{"rejected":2,"rejected_lines":[{"line":1,"reasons":[{"message":"user \"ann\" is odd"}]},{"line":2,"reasons":[]}]}"#;
        let (body, gone) = receipt(text, &["ann".to_owned()]);
        let read: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((gone, &read["rejected"], read["rejected_lines"].as_array().unwrap().len()), (1, &Value::from(2), 1));
        assert_eq!(receipt(b"no JSON", &["ann".to_owned()]).1, 0);
    }
}
