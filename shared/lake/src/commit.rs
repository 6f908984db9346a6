//! Versions are written: each at exactly the place after the one it was computed from.

use std::collections::HashMap;

use clickstream_event::EVENT_SCHEMA;
use deltalake_core::{
    kernel::{
        Action,
        transaction::{CommitData, TransactionError},
    },
    logstore::{CommitOrBytes, commit_uri_from_version},
    protocol::{DeltaOperation, SaveMode},
};
use object_store::ObjectStoreExt as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Lake, LakeError, NewFile, Rewrite, Snapshot, Watermarks,
    actions::{self, ERASED, PROGRAM, SCHEMA, WATERMARKS, WRITE},
};

impl Lake {
    /// Appends `files` as the version after `base`, and advances partitions to `advanced` (next offsets).
    /// [`LakeError::Lost`] if that version stands already; nothing is retried here.
    pub async fn commit(&self, base: &Snapshot, files: &[NewFile], advanced: &Watermarks) -> Result<u64, LakeError> {
        self.commit_saying(base, files, advanced, HashMap::new()).await
    }

    /// [`Lake::commit`] with more in its `commitInfo`.
    pub(crate) async fn commit_saying(
        &self,
        base: &Snapshot,
        files: &[NewFile],
        advanced: &Watermarks,
        more: HashMap<String, Value>,
    ) -> Result<u64, LakeError> {
        let mut watermarks = base.watermarks.clone();
        watermarks.extend(advanced.iter().map(|(place, next)| (place.clone(), *next)));
        let actions = files.iter().map(|f| Action::Add(f.add(true))).collect();
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let mut said = said(&watermarks);
        said.extend(more);
        self.write(base.version + 1, CommitData::new(actions, operation, said, actions::transactions(advanced))).await
    }

    /// Puts files in place of others as the version after `base`; [`LakeError::Lost`] as for [`Lake::commit`].
    ///
    /// A rewrite that removes and adds nothing is an empty version: whoever computes on an older one starts again.
    pub async fn rewrite(&self, base: &Snapshot, rewrite: &Rewrite) -> Result<u64, LakeError> {
        let takes_rows = rewrite.erased.is_some();
        let adds = rewrite.added.iter().map(|f| Action::Add(f.add(takes_rows)));
        let actions = rewrite.removed.iter().map(|f| actions::remove(f, takes_rows)).chain(adds).collect();
        let mut said = said(&base.watermarks);
        let operation = if let Some(removed) = &rewrite.erased {
            said.insert(ERASED.to_owned(), json!(removed));
            said.extend(self.erasure_says(base, rewrite).await?);
            DeltaOperation::Delete { predicate: None }
        } else {
            said.extend(self.counts_say(base).await?);
            DeltaOperation::Optimize { predicate: None, target_size: 0 }
        };
        self.write(base.version + 1, CommitData::new(actions, operation, said, Vec::new())).await
    }

    pub(crate) async fn write(&self, version: u64, data: CommitData) -> Result<u64, LakeError> {
        let bytes = data.get_bytes().map_err(|e| LakeError::Corrupt(e.to_string()))?;
        match self.log.write_commit_entry(version, CommitOrBytes::LogBytes(bytes.clone()), Uuid::new_v4()).await {
            Ok(()) => self.follows(version).await?,
            Err(TransactionError::VersionAlreadyExists(lost)) => {
                // A PUT whose answer got lost is sent again, and then finds itself.
                if self.log.read_commit_entry(version).await?.is_none_or(|standing| standing != bytes) {
                    return Err(LakeError::Lost(lost));
                }
            }
            Err(TransactionError::ObjectStore { source }) => return Err(source.into()),
            Err(other) => return Err(LakeError::Unavailable(other.to_string())),
        }
        self.checkpoint(version).await;
        Ok(version)
    }

    /// Makes sure that a version which was just written is read by anyone. A writer that slept for longer than commit
    /// files are kept finds the place of its version free again, and the one before it too: old commit files go in
    /// order, and each only when the next one is old.
    async fn follows(&self, version: u64) -> Result<(), LakeError> {
        match self.files.head(&commit_uri_from_version(Some(version - 1))).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => {
                self.files.delete(&commit_uri_from_version(Some(version))).await?;
                Err(LakeError::Lost(version))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What every commit says in its `commitInfo`: the watermarks, an id that tells it from any other, and which program wrote it.
pub(crate) fn said(watermarks: &Watermarks) -> HashMap<String, Value> {
    HashMap::from([
        (WATERMARKS.to_owned(), json!(watermarks)),
        (WRITE.to_owned(), json!(Uuid::now_v7())),
        (PROGRAM.to_owned(), json!(env!("CARGO_PKG_VERSION"))),
        (SCHEMA.to_owned(), json!(EVENT_SCHEMA)),
    ])
}
