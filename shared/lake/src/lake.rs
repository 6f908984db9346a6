//! The table.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use clickstream_columns::event_schema;
use clickstream_event::Micros;
use clickstream_objects::s3::S3Config;
use deltalake_core::{
    DeltaTable, DeltaTableError,
    kernel::{
        Action, StructType,
        engine::arrow_conversion::TryIntoKernel as _,
        transaction::{CommitData, TransactionError},
    },
    logstore::{CommitOrBytes, LogStoreRef},
    operations::create::CreateBuilder,
    protocol::{DeltaOperation, SaveMode},
};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    LakeError, LakeFile, NewFile, Rewrite, Snapshot, Version, Watermarks,
    actions::{self, ERASED, WATERMARKS},
    open,
};

/// A checkpoint is written every so many versions: loading the table reads no more commit files than that.
const CHECKPOINT_EVERY: u64 = 20;

/// The Delta table of events.
pub struct Lake {
    pub(crate) log: LogStoreRef,
    pub(crate) files: Arc<dyn ObjectStore>,
    /// The newest state seen; brought up to date before each use.
    table: Mutex<DeltaTable>,
}

impl Lake {
    /// Opens the table in the bucket, and makes it if it is not there.
    pub async fn open(config: &S3Config) -> Result<Self, LakeError> {
        Self::open_on(open::bucket(config)?, &config.bucket).await
    }

    /// Opens the table in the bucket if it is there.
    pub async fn find(config: &S3Config) -> Result<Option<Self>, LakeError> {
        let lake = Self::unopened(open::bucket(config)?, &config.bucket)?;
        let found = load(&mut *lake.table.lock().await).await?;
        Ok(found.then_some(lake))
    }

    /// Opens the table on an object store.
    pub async fn open_on(bucket: Arc<dyn ObjectStore>, name: &str) -> Result<Self, LakeError> {
        let lake = Self::unopened(bucket, name)?;
        let mut table = lake.table.lock().await;
        if !load(&mut table).await? {
            let created = create(Arc::clone(&lake.log)).await;
            // Another process may have made it at the same moment.
            if let Err(error) = created
                && table.load().await.is_err()
            {
                return Err(error);
            }
            table.load().await?;
        }
        drop(table);
        Ok(lake)
    }

    fn unopened(bucket: Arc<dyn ObjectStore>, name: &str) -> Result<Self, LakeError> {
        let log = open::log_store(&bucket, name)?;
        let files: Arc<dyn ObjectStore> = Arc::new(object_store::prefix::PrefixStore::new(bucket, open::TABLE));
        let table = Mutex::new(DeltaTable::new(Arc::clone(&log)));
        Ok(Self { log, files, table })
    }

    /// What the table holds of each partition now.
    pub async fn newest_watermarks(&self) -> Result<Watermarks, LakeError> {
        let mut table = self.table.lock().await;
        table.update_state().await?;
        let version = table.snapshot()?.version();
        drop(table);
        self.watermarks(version).await
    }

    /// The table as it stands now.
    pub async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        let mut table = self.table.lock().await;
        table.update_state().await?;
        let state = table.snapshot()?;
        let version = state.version();
        let files =
            state.log_data().iter().map(|f| LakeFile::new(&f.path(), f.size(), f.stats().as_deref())).collect::<Result<Vec<_>, _>>()?;
        drop(table);
        Ok(Snapshot { version, watermarks: self.watermarks(version).await?, files })
    }

    /// The watermarks as of `version`: those of the newest commit at or before it that says them.
    pub(crate) async fn watermarks(&self, version: u64) -> Result<Watermarks, LakeError> {
        for version in (1..=version).rev() {
            let Some(bytes) = self.log.read_commit_entry(version).await? else { break };
            if let Some(watermarks) = actions::read(version, &bytes)?.watermarks {
                return Ok(watermarks);
            }
        }
        Ok(Watermarks::new())
    }

    /// Writes a Parquet file that nothing refers to yet; if no commit ever does, it is harmless.
    pub async fn write_file(
        &self,
        bytes: Bytes,
        rows: u64,
        original_at: (Micros, Micros),
        occurred_at: (Micros, Micros),
    ) -> Result<NewFile, LakeError> {
        let path = format!("part-{}.zstd.parquet", Uuid::now_v7());
        let size = bytes.len() as u64;
        self.files.put(&Path::from(path.as_str()), bytes.into()).await?;
        let file = LakeFile { path, size, rows, original_at_min: original_at.0, original_at_max: original_at.1 };
        Ok(NewFile { file, occurred_at, written_at: Micros::now() })
    }

    /// The bytes of a file.
    pub async fn read_file(&self, path: &str) -> Result<Bytes, LakeError> {
        Ok(self.files.get(&Path::from(path)).await?.bytes().await?)
    }

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
        mut said: HashMap<String, serde_json::Value>,
    ) -> Result<u64, LakeError> {
        let mut watermarks = base.watermarks.clone();
        watermarks.extend(advanced.iter().map(|(place, next)| (place.clone(), *next)));
        let actions = files.iter().map(|f| Action::Add(f.add(true))).collect();
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        said.insert(WATERMARKS.to_owned(), serde_json::json!(watermarks));
        self.write(base.version + 1, CommitData::new(actions, operation, said, actions::transactions(advanced))).await
    }

    /// Puts files in place of others as the version after `base`; [`LakeError::Lost`] as for [`Lake::commit`].
    ///
    /// A rewrite that removes and adds nothing is an empty version: whoever computes on an older one starts again.
    pub async fn rewrite(&self, base: &Snapshot, rewrite: &Rewrite) -> Result<u64, LakeError> {
        let takes_rows = rewrite.erased.is_some();
        let adds = rewrite.added.iter().map(|f| Action::Add(f.add(takes_rows)));
        let actions = rewrite.removed.iter().map(|f| actions::remove(f, takes_rows)).chain(adds).collect();
        let mut said = HashMap::from([(WATERMARKS.to_owned(), serde_json::json!(base.watermarks))]);
        let operation = match &rewrite.erased {
            Some(removed) => {
                said.insert(ERASED.to_owned(), serde_json::json!(removed));
                said.extend(self.erasure_says(base, rewrite).await?);
                DeltaOperation::Delete { predicate: None }
            }
            None => DeltaOperation::Optimize { predicate: None, target_size: 0 },
        };
        self.write(base.version + 1, CommitData::new(actions, operation, said, Vec::new())).await
    }

    async fn write(&self, version: u64, data: CommitData) -> Result<u64, LakeError> {
        let bytes = data.get_bytes().map_err(|e| LakeError::Corrupt(e.to_string()))?;
        match self.log.write_commit_entry(version, CommitOrBytes::LogBytes(bytes), Uuid::new_v4()).await {
            Ok(()) => {
                self.checkpoint(version).await;
                Ok(version)
            }
            Err(TransactionError::VersionAlreadyExists(lost)) => Err(LakeError::Lost(lost)),
            Err(TransactionError::ObjectStore { source }) => Err(source.into()),
            Err(other) => Err(LakeError::Unavailable(other.to_string())),
        }
    }

    /// What versions `from..=to` did, in order.
    pub async fn versions(&self, from: u64, to: u64) -> Result<Vec<Version>, LakeError> {
        let mut versions = Vec::new();
        let mut known = if from == 0 { Watermarks::new() } else { self.watermarks(from - 1).await? };
        for version in from..=to {
            let missing = || LakeError::Corrupt(format!("the commit file of version {version} is missing"));
            let bytes = self.log.read_commit_entry(version).await?.ok_or_else(missing)?;
            let read = actions::read(version, &bytes)?;
            known = read.watermarks.unwrap_or(known);
            versions.push(Version { version, change: read.change, watermarks: known.clone() });
        }
        Ok(versions)
    }

    /// A checkpoint saves readers work; a commit stands without it.
    async fn checkpoint(&self, version: u64) {
        if !version.is_multiple_of(CHECKPOINT_EVERY) {
            return;
        }
        let mut table = self.table.lock().await;
        let written = match table.update_state().await {
            Ok(()) => deltalake_core::protocol::checkpoints::create_checkpoint(&table, None).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = written {
            tracing::warn!(version, error, "no checkpoint; the next one is tried in {CHECKPOINT_EVERY} versions");
        }
    }
}

/// Loads the table; false if it is not there.
async fn load(table: &mut DeltaTable) -> Result<bool, LakeError> {
    match table.load().await {
        Ok(()) => Ok(true),
        Err(DeltaTableError::NotATable(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn create(log: LogStoreRef) -> Result<(), LakeError> {
    let schema: StructType = event_schema().as_ref().try_into_kernel().map_err(|e| LakeError::Corrupt(format!("schema: {e}")))?;
    // Old versions are needed until they are settled: nothing cleans the log up by itself.
    CreateBuilder::new()
        .with_log_store(log)
        .with_table_name("events")
        .with_columns(schema.fields().cloned())
        .with_configuration_property(deltalake_core::TableProperty::EnableExpiredLogCleanup, Some("false"))
        .await?;
    Ok(())
}
