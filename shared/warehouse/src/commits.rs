//! `commits`: which lake versions are settled. Its newest row rules what `clicks` shows.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Warehouse, WarehouseError, warehouse::requested};

/// One settled lake version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The lake's version.
    pub version: u64,
    /// The load whose rows count for it.
    pub load_id: Uuid,
    /// The next offset of every partition as of this version, by `{log_id}/{partition}`.
    pub watermarks: BTreeMap<String, u64>,
    /// Rows of the load; 0 for a version that added none.
    pub rows: u64,
}

#[derive(Row, Serialize, Deserialize)]
pub(crate) struct CommitRow {
    version: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    load_id: Uuid,
    watermarks: Vec<(String, u64)>,
    rows: u64,
}

impl From<&Commit> for CommitRow {
    fn from(commit: &Commit) -> Self {
        let watermarks = commit.watermarks.iter().map(|(place, next)| (place.clone(), *next)).collect();
        Self { version: commit.version, load_id: commit.load_id, watermarks, rows: commit.rows }
    }
}

impl From<CommitRow> for Commit {
    fn from(row: CommitRow) -> Self {
        Self { version: row.version, load_id: row.load_id, watermarks: row.watermarks.into_iter().collect(), rows: row.rows }
    }
}

impl Warehouse {
    /// The row that rules, none before the first.
    pub async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        let newest = self.query("SELECT version, load_id, watermarks, rows FROM commits ORDER BY version DESC, load_id ASC LIMIT 1");
        let row: Option<CommitRow> = requested("newest_commit", async { Ok(newest.fetch_optional().await?) }).await?;
        Ok(row.map(Commit::from))
    }

    /// Makes a version visible. Versions go in order: it is refused unless the version before stands, or none stands
    /// and this is the lake's first (0 or 1). A version that stands already stays as it is, and the rows of this load go.
    ///
    /// The load's rows are counted once more: a load that is not whole is refused.
    pub async fn commit(&self, commit: &Commit) -> Result<(), WarehouseError> {
        let newest = self.newest_commit().await?;
        match &newest {
            Some(newest) if newest.version >= commit.version => return self.drop_late_load(commit.load_id).await,
            Some(newest) if newest.version + 1 == commit.version => {}
            None if commit.version <= 1 => {}
            _ => {
                let stands = newest.map_or_else(|| "none".to_owned(), |c| c.version.to_string());
                return Err(WarehouseError::refused(format!(
                    "version {} cannot be settled: the newest settled version is {stands}, and none may be left out",
                    commit.version
                )));
            }
        }
        let rows = self.rows_of_load(commit.load_id).await?;
        if rows != commit.rows {
            return Err(WarehouseError::refused(format!(
                "load {} of version {} has {rows} rows in ClickHouse where the lake has {}: begin a new load",
                commit.load_id, commit.version, commit.rows
            )));
        }
        requested("commit", async {
            let mut insert = self.client().insert::<CommitRow>("commits").await?;
            insert.write(&CommitRow::from(commit)).await?;
            Ok(insert.end().await?)
        })
        .await
    }

    /// The smallest settled version whose watermark is past this place in the log, none if it is not settled.
    pub async fn settled_version_of(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, WarehouseError> {
        let version = self
            .query("SELECT version FROM commits WHERE watermarks[{place:String}] > {offset:UInt64} ORDER BY version LIMIT 1")
            .param("place", format!("{log_id}/{partition}"))
            .param("offset", offset)
            .fetch_optional::<u64>()
            .await?;
        Ok(version)
    }
}
