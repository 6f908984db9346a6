//! Names of gaps in raw/ that were accepted as lost: `ledger/gaps/{log_id}/{partition:05}/{from:020}-{to:020}.json`, of offsets
//! `[from, to)`. reconcile writes them, and compaction passes them.

/// The folder of a partition's accepted gaps.
pub fn gap_prefix(log_id: &str, partition: u32) -> String {
    format!("ledger/gaps/{log_id}/{partition:05}/")
}

/// The key of the accepted gap of offsets `[from, to)`.
pub fn gap_key(log_id: &str, partition: u32, from: u64, to: u64) -> String {
    format!("{}{from:020}-{to:020}.json", gap_prefix(log_id, partition))
}

/// The offsets `[from, to)` that a gap's key names; none where it is no such key.
pub fn gap_offsets(key: &str) -> Option<(u64, u64)> {
    let (from, to) = key.rsplit('/').next()?.strip_suffix(".json")?.split_once('-')?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_s_key_names_its_offsets() {
        let key = gap_key("l", 3, 100, 120);
        assert_eq!(key, "ledger/gaps/l/00003/00000000000000000100-00000000000000000120.json");
        assert_eq!(gap_offsets(&key), Some((100, 120)));
        assert_eq!(gap_offsets("ledger/gaps/l/00003/9-7.json"), None);
    }
}
