//! Parts of a file: some columns of some row groups, without the rest of it in memory.

use std::{ops::Range, sync::Arc};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use clickstream_columns::{ColumnsError, FileBytes, read_groups};
use object_store::{ObjectStoreExt as _, path::Path};

use crate::{Lake, LakeError, LakeFile};

impl Lake {
    /// Some columns of the row groups of `file` whose `original_at` (least and greatest, µs) `wanted` takes, a group at a
    /// time; [`LakeError::Gone`] if the table has other files in its place by now.
    pub async fn read_groups(
        self: &Arc<Self>,
        file: &LakeFile,
        names: &[&str],
        wanted: impl Fn(i64, i64) -> bool,
        each: impl FnMut(&RecordBatch) -> Result<(), ColumnsError>,
    ) -> Result<(), LakeError> {
        let bytes = Arc::new(InLake { lake: Arc::clone(self), path: file.path.clone(), size: file.size });
        match read_groups(bytes, names, wanted, each).await {
            Ok(()) => Ok(()),
            // A merge may have taken the file out of the table meanwhile, and vacuum out of the bucket.
            Err(error) => Err(self.gone_or(&file.path, error.into()).await?),
        }
    }

    /// [`LakeError::Gone`] where a file that could not be read is in the table no more, otherwise `error`.
    pub(crate) async fn gone_or(&self, path: &str, error: LakeError) -> Result<LakeError, LakeError> {
        let now = self.snapshot().await?;
        let stands = now.files.iter().any(|file| file.path == path);
        Ok(if stands { error } else { LakeError::Gone { path: path.to_owned(), version: now.version } })
    }
}

struct InLake {
    lake: Arc<Lake>,
    path: String,
    size: u64,
}

#[async_trait]
impl FileBytes for InLake {
    fn size(&self) -> u64 {
        self.size
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let read = self.lake.files.get_range(&Path::from(self.path.as_str()), range).await;
        Ok(read.map_err(LakeError::from)?)
    }
}
