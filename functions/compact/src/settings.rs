//! How large files of the lake get, what a merge may take, and how long what went stays.

use std::time::Duration;

/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;

/// A variable, and the numbers that it may have.
struct Variable {
    name: &'static str,
    usual: u64,
    least: u64,
    most: u64,
    unit: &'static str,
}

const FILE: Variable = Variable { name: "LAKE_FILE_MB", usual: 128, least: 1, most: 256, unit: "MiB" };
const MEMORY: Variable = Variable { name: "MERGE_MEMORY_MB", usual: 256, least: 16, most: 65_536, unit: "MiB" };
const RETENTION: Variable = Variable { name: "LAKE_RETENTION_DAYS", usual: 7, least: 1, most: 3_650, unit: "days" };

/// A variable with a value that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value:?} is wrong: {unit} from {least} to {most}")]
pub struct LakeSettingsError {
    name: &'static str,
    value: String,
    unit: &'static str,
    least: u64,
    most: u64,
}

/// What bounds merges and vacuums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LakeSettings {
    /// Bytes that files are to have, about.
    pub target: u64,
    /// Bytes that a merge may hold in memory, about: what it reads and what it writes.
    pub memory: u64,
    /// Days for which files stay after they went from the table, so that whoever reads an older version, or has written
    /// a file and not committed it yet, can end.
    pub retention_days: u32,
    /// No further merge is begun after this long.
    pub longest: Duration,
}

impl LakeSettings {
    /// Sizes in MiB.
    pub fn mebibytes(target: u64, memory: u64) -> Self {
        let (target, memory) = (target * MIB, memory * MIB);
        Self { target, memory, retention_days: RETENTION.usual as u32, longest: Duration::from_mins(10) }
    }

    /// `LAKE_FILE_MB`, `MERGE_MEMORY_MB` and `LAKE_RETENTION_DAYS`, or what they usually are.
    pub fn from_env() -> Result<Self, LakeSettingsError> {
        let retention_days = RETENTION.read()? as u32;
        Ok(Self { retention_days, ..Self::mebibytes(FILE.read()?, MEMORY.read()?) })
    }

    /// The variables with what they say.
    pub fn describe(&self) -> [(&'static str, String); 3] {
        [
            (FILE.name, (self.target / MIB).to_string()),
            (MEMORY.name, (self.memory / MIB).to_string()),
            (RETENTION.name, self.retention_days.to_string()),
        ]
    }

    /// Bytes of files that are merged at once; what they become is about as large again.
    pub fn most(&self) -> u64 {
        self.memory / 2
    }

    /// Files of fewer bytes are merged: two of them always fit.
    pub fn small(&self) -> u64 {
        self.target.min(self.most()) / 2
    }

    /// Whether files may stay for so many days.
    pub(crate) fn may_be_kept(days: u32) -> Result<(), String> {
        let (least, most) = (RETENTION.least, RETENTION.most);
        let right = (least..=most).contains(&u64::from(days));
        right.then_some(()).ok_or_else(|| format!("retention_days={days} is wrong: days from {least} to {most}"))
    }
}

impl Default for LakeSettings {
    fn default() -> Self {
        Self::mebibytes(FILE.usual, MEMORY.usual)
    }
}

impl Variable {
    fn read(&self) -> Result<u64, LakeSettingsError> {
        let Self { name, usual, least, most, unit } = *self;
        let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else { return Ok(usual) };
        match value.parse() {
            Ok(given) if (least..=most).contains(&given) => Ok(given),
            _ => Err(LakeSettingsError { name, value, unit, least, most }),
        }
    }
}
