//! The table.

use std::sync::Arc;

use bytes::Bytes;
use clickstream_columns::event_schema;
use clickstream_event::Micros;
use clickstream_objects::s3::S3Config;
use deltalake_core::{
    DeltaTable, DeltaTableError,
    kernel::{StructType, engine::arrow_conversion::TryIntoKernel as _},
    logstore::LogStoreRef,
    operations::create::CreateBuilder,
};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{LakeError, LakeFile, NewFile, Snapshot, Version, Watermarks, actions, open};

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
        self.refresh(&mut table).await?;
        let version = table.snapshot()?.version();
        drop(table);
        self.watermarks(version).await
    }

    /// The table as it stands now.
    pub async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        let mut table = self.table.lock().await;
        self.refresh(&mut table).await?;
        let state = table.snapshot()?;
        let version = state.version();
        let files =
            state.log_data().iter().map(|f| LakeFile::new(&f.path(), f.size(), f.stats().as_deref())).collect::<Result<Vec<_>, _>>()?;
        drop(table);
        Ok(Snapshot { version, watermarks: self.watermarks(version).await?, files })
    }

    /// Brings the state up to date; read anew where the commit files that it stands on are gone.
    async fn refresh(&self, table: &mut DeltaTable) -> Result<(), LakeError> {
        if let Err(error) = table.update_state().await {
            tracing::debug!(error = error.to_string(), "the lake's state is read anew");
            let mut anew = DeltaTable::new(Arc::clone(&self.log));
            anew.load().await?;
            *table = anew;
        }
        Ok(())
    }

    /// The watermarks as of `version`: those of the newest commit at or before it that says them. Every commit of ours
    /// does; the one that made the table is the only one before which nothing is in it.
    pub(crate) async fn watermarks(&self, version: u64) -> Result<Watermarks, LakeError> {
        for version in (1..=version).rev() {
            let bytes = self.commit_file(version).await?;
            if let Some(watermarks) = actions::read(version, &bytes)?.watermarks {
                return Ok(watermarks);
            }
        }
        Ok(Watermarks::new())
    }

    /// The bytes of a version's commit file.
    pub(crate) async fn commit_file(&self, version: u64) -> Result<Bytes, LakeError> {
        let missing = || {
            LakeError::Corrupt(format!(
                "the commit file of version {version} is missing. Vacuum removes only those of settled versions: a ClickHouse that is \
                 new, or lost what it had, gets the lake as it stands by `clickstream rebuild --from lake`"
            ))
        };
        self.log.read_commit_entry(version).await?.ok_or_else(missing)
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
        let file = LakeFile {
            path,
            size,
            rows,
            original_at_min: original_at.0,
            original_at_max: original_at.1,
            occurred_at_min: occurred_at.0,
            occurred_at_max: occurred_at.1,
        };
        Ok(NewFile { file, occurred_at, written_at: Micros::now() })
    }

    /// The bytes of a file; [`LakeError::Gone`] if the table has other files in its place by now.
    pub async fn read_file(&self, path: &str) -> Result<Bytes, LakeError> {
        match self.files.get(&Path::from(path)).await {
            Ok(found) => Ok(found.bytes().await?),
            Err(error @ object_store::Error::NotFound { .. }) => Err(self.gone_or(path, error.into()).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// What versions `from..=to` did, in order.
    pub async fn versions(&self, from: u64, to: u64) -> Result<Vec<Version>, LakeError> {
        let mut versions: Vec<Version> = Vec::new();
        for version in from..=to {
            let read = actions::read(version, &self.commit_file(version).await?)?;
            let watermarks = match (read.watermarks, versions.last()) {
                (Some(said), _) => said,
                (None, Some(before)) => before.watermarks.clone(),
                (None, None) => self.watermarks(version.saturating_sub(1)).await?,
            };
            versions.push(Version { version, change: read.change, watermarks });
        }
        Ok(versions)
    }

    /// A checkpoint saves readers work; a commit stands without it.
    pub(crate) async fn checkpoint(&self, version: u64) {
        if !version.is_multiple_of(CHECKPOINT_EVERY) {
            return;
        }
        let mut table = self.table.lock().await;
        let written = match self.refresh(&mut table).await {
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
    // Old versions are needed until they are settled: nothing but vacuum cleans the log up.
    CreateBuilder::new()
        .with_log_store(log)
        .with_table_name("events")
        .with_columns(schema.fields().cloned())
        .with_configuration_property(deltalake_core::TableProperty::EnableExpiredLogCleanup, Some("false"))
        .await?;
    Ok(())
}
