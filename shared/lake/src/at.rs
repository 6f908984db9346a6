//! The table as it stood.

use std::sync::Arc;

use deltalake_core::DeltaTable;

use crate::{Lake, LakeError, LakeFile, Snapshot};

impl Lake {
    /// The table as of `version`. Its files stay until a newer version is settled and some time has passed.
    pub async fn snapshot_at(&self, version: u64) -> Result<Snapshot, LakeError> {
        let mut table = DeltaTable::new(Arc::clone(&self.log));
        table.load_version(version).await?;
        let state = table.snapshot()?;
        let log = state.log_data();
        let files = log.iter().map(|f| LakeFile::new(&f.path(), f.size(), f.stats().as_deref())).collect::<Result<Vec<_>, _>>()?;
        Ok(Snapshot { version, watermarks: self.watermarks(version).await?, files })
    }
}
