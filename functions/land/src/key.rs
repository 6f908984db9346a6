//! Names of raw objects.

/// The key of the raw object that holds offsets `first..=last`. Named by last offset first: a listing that starts
/// after `{w:020}` finds every object with an offset at or past the watermark `w`.
pub fn raw_key(log_id: &str, partition: u32, first: u64, last: u64) -> String {
    format!("raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet")
}
