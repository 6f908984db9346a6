//! What a raw object says of itself beside its bytes.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::RawRow;

/// Of a raw object of `rows`, which stand by their offsets and have no hole: `log-id`, `count`, `dead-letters`, `first`,
/// `next`, and `ids`, a hash of the ids of its events (16 bytes of SHA-256, in hex). They tell whether a batch is the one that
/// the object was made of, so they are those of the rows before any is forgotten.
pub fn raw_metadata(log_id: &str, rows: &[(u64, RawRow)]) -> BTreeMap<String, String> {
    let mut ids: Vec<_> = rows
        .iter()
        .filter_map(|(_, row)| match row {
            RawRow::Event(event) => Some((event.event_id, event.site_id.as_str())),
            RawRow::DeadLetter(_) => None,
        })
        .collect();
    ids.sort_unstable();
    let mut hash = Sha256::new();
    for (id, site) in &ids {
        hash.update(id.as_bytes());
        hash.update(site.as_bytes());
        hash.update([0]);
    }
    let hash: String = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
    let first = rows.first().map_or(0, |(offset, _)| *offset);
    let next = rows.last().map_or(0, |(offset, _)| offset + 1);
    [
        ("log-id", log_id.to_owned()),
        ("count", rows.len().to_string()),
        ("dead-letters", (rows.len() - ids.len()).to_string()),
        ("first", first.to_string()),
        ("next", next.to_string()),
        ("ids", hash),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
