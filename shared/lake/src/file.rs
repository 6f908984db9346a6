//! Files of the table and their statistics.

use clickstream_event::Micros;
use deltalake_core::kernel::Add;
use serde_json::{Value, json};

use crate::LakeError;

/// A file of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LakeFile {
    /// Its path within the table.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// The earliest `original_at`.
    pub original_at_min: Micros,
    /// The latest `original_at`.
    pub original_at_max: Micros,
    /// The earliest `occurred_at`, cut to milliseconds; the least there is where the file does not say.
    pub occurred_at_min: Micros,
    /// The latest `occurred_at`, rounded up to milliseconds; the greatest there is where the file does not say.
    pub occurred_at_max: Micros,
}

/// A file that is written and not yet committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// The file.
    pub file: LakeFile,
    /// The earliest and latest `occurred_at`.
    pub occurred_at: (Micros, Micros),
    /// When it was written.
    pub written_at: Micros,
}

impl LakeFile {
    /// Reads a file from the path, size and JSON statistics of an `add` action.
    pub(crate) fn new(path: &str, size: i64, stats: Option<&str>) -> Result<Self, LakeError> {
        let corrupt = |what: &str| LakeError::Corrupt(format!("{path} has no usable {what}"));
        let stats: Value = serde_json::from_str(stats.unwrap_or_default()).map_err(|_| corrupt("statistics"))?;
        let moment_of = |bound: &str, column: &str| {
            let text = stats[bound][column].as_str()?;
            serde_json::from_value::<Micros>(text.into()).ok()
        };
        let moment = |bound: &str| moment_of(bound, "original_at");
        Ok(Self {
            path: path.to_owned(),
            size: u64::try_from(size).map_err(|_| corrupt("size"))?,
            rows: stats["numRecords"].as_u64().ok_or_else(|| corrupt("number of rows"))?,
            original_at_min: moment("minValues").ok_or_else(|| corrupt("range of original_at"))?,
            original_at_max: moment("maxValues").ok_or_else(|| corrupt("range of original_at"))?,
            occurred_at_min: moment_of("minValues", "occurred_at").unwrap_or(Micros(i64::MIN)),
            occurred_at_max: moment_of("maxValues", "occurred_at").unwrap_or(Micros(i64::MAX)),
        })
    }
}

impl NewFile {
    /// The `add` action; `data_change` where it brings rows. Bounds are cut to milliseconds, outwards, as Delta's readers expect.
    pub(crate) fn add(&self, data_change: bool) -> Add {
        let floor = |t: Micros| Micros(t.0.div_euclid(1_000) * 1_000).to_string();
        let ceil = |t: Micros| Micros((t.0 + 999).div_euclid(1_000) * 1_000).to_string();
        let file = &self.file;
        let stats = json!({
            "numRecords": file.rows,
            "minValues": { "original_at": floor(file.original_at_min), "occurred_at": floor(self.occurred_at.0) },
            "maxValues": { "original_at": ceil(file.original_at_max), "occurred_at": ceil(self.occurred_at.1) },
            "nullCount": {},
        });
        Add {
            path: file.path.clone(),
            size: file.size.cast_signed(),
            modification_time: self.written_at.0 / 1_000,
            data_change,
            stats: Some(stats.to_string()),
            ..Add::default()
        }
    }
}
