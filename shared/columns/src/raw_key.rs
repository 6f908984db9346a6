//! Names of raw objects: `raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet`. The last offset comes first, so
//! that a listing from an offset on begins with the object that holds it.

/// The folder of a partition's raw objects.
pub fn raw_prefix(log_id: &str, partition: u32) -> String {
    format!("raw/events/{log_id}/{partition:05}/")
}

/// The key of the raw object that holds offsets `first..=last`.
pub fn raw_key(log_id: &str, partition: u32, first: u64, last: u64) -> String {
    format!("{}{last:020}-{first:020}.parquet", raw_prefix(log_id, partition))
}

/// The first and the last offset that a raw object's key names; none where it is no such key.
pub fn raw_offsets(key: &str) -> Option<(u64, u64)> {
    let (last, first) = key.rsplit('/').next()?.strip_suffix(".parquet")?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}
