//! What the lake no longer needs, removed after a time.

use clickstream_event::Micros;
use clickstream_lake::{Lake, Vacuum, Vacuumed};
use clickstream_telemetry::metric;
use serde::{Deserialize, Serialize};

use crate::{CompactError, LakeSettings};

/// What to remove.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VacuumRequest {
    /// The newest version that ClickHouse is done with, as settle reports it; nothing of later ones is removed, and
    /// without it nothing but files that no version ever had.
    pub settled_version: Option<u64>,
    /// Days since files went from the table, in place of the setting.
    pub retention_days: Option<u32>,
    /// Says what would be removed, and removes nothing.
    pub dry_run: bool,
}

impl VacuumRequest {
    /// Removes what `lake` no longer needs.
    pub async fn run(&self, lake: &Lake, settings: &LakeSettings) -> Result<Vacuumed, CompactError> {
        let days = self.retention_days.unwrap_or(settings.retention_days);
        LakeSettings::may_be_kept(days).map_err(CompactError::Request)?;
        let before = Micros::now().plus(-i64::from(days) * Micros::DAY);
        let vacuum = Vacuum { dry_run: self.dry_run, ..Vacuum::older_than(self.settled_version, before) };
        let removed = lake.vacuum(&vacuum).await?;
        if !self.dry_run {
            metrics::counter!(metric::VACUUMED_FILES).increment(removed.files.len() as u64);
            tracing::info!(files = removed.files.len(), bytes = removed.bytes, log_files = removed.log_files.len(), "vacuumed the lake");
        }
        Ok(removed)
    }
}
