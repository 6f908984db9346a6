//! What a compaction may use.

/// Memory where nothing is said: a commit of some 200,000 rows.
const MEMORY: u64 = 96 << 20;
/// The least memory that makes sense.
const LEAST: u64 = 16 << 20;
/// Threads where nothing is said, at most: each has a column in memory.
const THREADS: usize = 4;

/// What a compaction may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactOptions {
    /// Bytes that a commit may take, about; more memory makes larger commits and larger files. One raw object is
    /// taken whatever it needs.
    pub memory: u64,
    /// Threads that read and write columns, beside one raw object that is read ahead; 0 does one thing after the other.
    pub threads: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { memory: MEMORY, threads: processors.min(THREADS) }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("COMPACT_MEMORY={0:?} is wrong: {right}", right = CompactOptions::RIGHT)]
pub struct OptionsError(String);

impl CompactOptions {
    /// What `COMPACT_MEMORY` may be.
    pub const RIGHT: &str = "MiB from 16 to 1048576";

    /// Options of a text as in `COMPACT_MEMORY`.
    pub fn parse(text: &str) -> Option<Self> {
        let mebibytes = text.parse().ok().filter(|n| (16..=1 << 20).contains(n))?;
        Some(Self::default().with_mebibytes(mebibytes))
    }

    /// Options with this many MiB.
    #[must_use]
    pub fn with_mebibytes(self, mebibytes: u64) -> Self {
        Self { memory: (mebibytes << 20).max(LEAST), ..self }
    }

    /// `COMPACT_MEMORY` in MiB; without it, on Lambda, half of what the function has.
    pub fn from_env() -> Result<Self, OptionsError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, OptionsError> {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(text) = given("COMPACT_MEMORY") {
            return Self::parse(&text).ok_or(OptionsError(text));
        }
        match given("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse::<u64>().ok()) {
            Some(mebibytes) => Ok(Self::default().with_mebibytes(mebibytes / 2)),
            None => Ok(Self::default()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn memory(variables: &[(&str, &str)]) -> Result<u64, String> {
        let given = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        CompactOptions::from_variables(given).map(|options| options.memory).map_err(|e| e.to_string())
    }

    #[test]
    fn memory_is_a_setting_or_half_of_the_function_s() {
        assert_eq!(memory(&[]).unwrap(), 96 << 20);
        assert_eq!(memory(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008")]).unwrap(), 1_504 << 20);
        assert_eq!(memory(&[("COMPACT_MEMORY", "512"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008")]).unwrap(), 512 << 20);
        assert_eq!(memory(&[("COMPACT_MEMORY", "1GB")]).unwrap_err(), "COMPACT_MEMORY=\"1GB\" is wrong: MiB from 16 to 1048576");
        assert_eq!(memory(&[("COMPACT_MEMORY", "15")]).unwrap_err(), "COMPACT_MEMORY=\"15\" is wrong: MiB from 16 to 1048576");
    }
}
