//! How much memory a replay of days may take.

/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;
/// MiB where nothing is said.
const USUAL: u64 = 256;
/// MiB that make sense.
const LEAST: u64 = 16;
const MOST: u64 = 65_536;

/// A value of `MERGE_MEMORY_MB` that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("MERGE_MEMORY_MB={0:?} is wrong: MiB from {LEAST} to {MOST}")]
pub struct MemoryError(String);

/// Bytes by `MERGE_MEMORY_MB`, which bounds what is put together of the lake's files; without it 256 MiB.
pub fn memory_from_env() -> Result<u64, MemoryError> {
    memory(std::env::var("MERGE_MEMORY_MB").ok().filter(|value| !value.is_empty()))
}

fn memory(value: Option<String>) -> Result<u64, MemoryError> {
    let Some(value) = value else { return Ok(USUAL * MIB) };
    match value.parse() {
        Ok(mebibytes) if (LEAST..=MOST).contains(&mebibytes) => Ok(mebibytes * MIB),
        _ => Err(MemoryError(value)),
    }
}
