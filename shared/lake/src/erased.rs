//! Which rows an erasing version took out: a list beside the table's files, of ids and days and nothing that names a person.

use clickstream_event::Micros;
use jiff::civil::Date;
use object_store::{ObjectStoreExt as _, path::Path};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Lake, LakeError};

/// Folder of the lists; Delta's readers and vacuum pass over names that begin with `_`.
pub const FOLDER: &str = "_erased";

/// A row that was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRow {
    /// The site.
    pub site_id: String,
    /// The event.
    pub event_id: Uuid,
    /// When it happened: the marts of that day change.
    pub occurred_at: Micros,
}

impl ErasedRow {
    /// The day (UTC) whose marts change; none for a moment that no calendar has.
    pub fn day(&self) -> Option<Date> {
        self.occurred_at.to_string().get(..10)?.parse().ok()
    }
}

impl Lake {
    /// Writes a list, for [`crate::Rewrite::erased`]; if no commit ever names it, it is harmless.
    pub async fn write_erased(&self, rows: &[ErasedRow]) -> Result<String, LakeError> {
        let path = format!("{FOLDER}/{}.json", Uuid::now_v7());
        let bytes = serde_json::to_vec(rows).map_err(|e| LakeError::Corrupt(e.to_string()))?;
        self.files.put(&Path::from(path.as_str()), bytes.into()).await?;
        Ok(path)
    }

    /// Reads the list of an erasing version.
    pub async fn read_erased(&self, path: &str) -> Result<Vec<ErasedRow>, LakeError> {
        let bytes = self.read_file(path).await?;
        serde_json::from_slice(&bytes).map_err(|e| LakeError::Corrupt(format!("{path}: {e}")))
    }
}
