//! A table beside `events` that is filled out of sight and exchanged for it in one step.
//!
//! Its rows stand under one load that the newest `commits` rows count already, if they count any: at the exchange, the
//! view `clicks` shows every event before and after, and none twice, though `commits` stays as it is.

use std::time::Duration;

use bytes::Bytes;
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    Commit, Fingerprint, Warehouse, WarehouseError,
    commits::CommitRow,
    settled::{COLUMNS, days_of},
};

/// While a restoration was noted within this many seconds, it is taken to go on.
const ALIVE: u32 = 30;
/// How often one says that it does.
const NOTED_EVERY: Duration = Duration::from_secs(5);

/// The shadow of `events`.
pub struct Shadow {
    warehouse: Warehouse,
    run: Uuid,
    load_id: Uuid,
    /// A row of `commits` names the load and counts it.
    counted: bool,
    version: u64,
    /// Says that the restoration goes on; it ends with this.
    alive: JoinHandle<()>,
}

impl Drop for Shadow {
    fn drop(&mut self) {
        self.alive.abort();
    }
}

#[derive(Row, Serialize)]
struct Noted {
    #[serde(with = "clickhouse::serde::uuid")]
    run: Uuid,
    ended: bool,
}

#[derive(Row, Deserialize)]
struct Load {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
}

#[derive(Row, Deserialize)]
struct Name {
    name: String,
}

impl Warehouse {
    /// Begins a restoration of what the lake holds at `version`: from now on nothing is settled, until it ends or says
    /// nothing for half a minute. Shadows of those that died go.
    pub async fn shadow(&self, version: u64) -> Result<Shadow, WarehouseError> {
        if self.restoring().await? {
            let why = format!("another restoration goes on; it ends, or is taken for dead after {ALIVE} s");
            return Err(WarehouseError::Unavailable(why));
        }
        self.drop_shadows().await?;
        let counted: Option<Load> = self
            .query("SELECT min(load_id) AS load FROM commits WHERE rows > 0 GROUP BY version ORDER BY version LIMIT 1")
            .fetch_optional()
            .await?;
        let (run, warehouse) = (Uuid::now_v7(), self.clone());
        self.note_restoration(run, false).await?;
        let alive = tokio::spawn(async move {
            loop {
                tokio::time::sleep(NOTED_EVERY).await;
                if let Err(error) = warehouse.note_restoration(run, false).await {
                    tracing::warn!(%error, "cannot say that a restoration goes on");
                }
            }
        });
        let (load_id, counted) = counted.map_or_else(|| (Uuid::now_v7(), false), |load| (load.load, true));
        let shadow = Shadow { warehouse: self.clone(), run, load_id, counted, version, alive };
        self.begin_load(shadow.load_id, version).await?;
        self.query(&format!("CREATE TABLE {} AS events", shadow.events())).execute().await?;
        Ok(shadow)
    }

    /// True while a restoration goes on: what is settled now would be lost at its exchange.
    pub async fn restoring(&self) -> Result<bool, WarehouseError> {
        let running: u64 = self
            .query(
                "SELECT count() FROM (SELECT run FROM restorations GROUP BY run
                 HAVING NOT max(ended) AND max(at) > now64(6) - toIntervalSecond({alive:UInt32}))",
            )
            .param("alive", ALIVE)
            .fetch_one()
            .await?;
        Ok(running > 0)
    }

    async fn note_restoration(&self, run: Uuid, ended: bool) -> Result<(), WarehouseError> {
        let mut insert = self.client().insert::<Noted>("restorations").await?;
        insert.write(&Noted { run, ended }).await?;
        Ok(insert.end().await?)
    }

    async fn drop_shadows(&self) -> Result<(), WarehouseError> {
        let left: Vec<Name> = self
            .query("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'shadow_')")
            .fetch_all()
            .await?;
        for table in left.iter().filter(|table| crate::config::is_identifier(&table.name)) {
            self.query(&format!("DROP TABLE IF EXISTS {} SYNC", table.name)).execute().await?;
        }
        Ok(())
    }

    /// Events that are settled, each counted as the view `settled` shows it.
    pub async fn settled_rows(&self) -> Result<u64, WarehouseError> {
        Ok(self.query("SELECT count() FROM settled").fetch_one().await?)
    }
}

impl Shadow {
    fn events(&self) -> String {
        format!("shadow_events_{}", self.run.simple())
    }

    fn commits(&self) -> String {
        format!("shadow_commits_{}", self.run.simple())
    }

    /// True where its rows count from the exchange on, without another row in `commits`.
    pub fn is_counted(&self) -> bool {
        self.counted
    }

    /// Puts one lake file's rows into the shadow.
    pub async fn insert(&self, parquet: Bytes) -> Result<(), WarehouseError> {
        let settings = [("log_comment", format!("{}/{}", self.load_id, self.version)), ("max_partitions_per_insert_block", "0".to_owned())];
        let sql = format!("INSERT INTO {} ({COLUMNS}) FORMAT Parquet", self.events());
        self.warehouse.insert_parquet(sql, &settings, parquet).await
    }

    /// What it holds.
    pub async fn fingerprint(&self) -> Result<Fingerprint, WarehouseError> {
        self.warehouse.fingerprint_of(&self.events()).await
    }

    /// Exchanges it for `events`, and, where `commits` is not what the lake says, also `commits` for one row: `commit`'s
    /// version and watermarks. The days whose marts have to follow are noted first, as a rebuild: who dies before
    /// [`Warehouse::rebuild_all_marts`] leaves it to [`Warehouse::finish_rebuilds`].
    pub async fn exchange(&self, commit: Option<&Commit>) -> Result<(), WarehouseError> {
        let warehouse = &self.warehouse;
        if let Some(commit) = commit {
            warehouse.query(&format!("CREATE TABLE {} AS commits", self.commits())).execute().await?;
            let mut insert = warehouse.client().insert::<CommitRow>(&self.commits()).await?;
            insert.write(&CommitRow::from(&Commit { load_id: self.load_id, ..commit.clone() })).await?;
            insert.end().await?;
        }
        let days: Vec<String> = warehouse
            .query(&format!(
                "SELECT DISTINCT toString(day) AS day FROM (SELECT toDate(occurred_at) AS day FROM events
                 UNION ALL SELECT toDate(occurred_at) AS day FROM {}) ORDER BY day",
                self.events()
            ))
            .fetch_all()
            .await?;
        warehouse.note_rebuilds(&[self.run], &days_of(&days)?, false).await?;
        warehouse.query(&format!("EXCHANGE TABLES events AND {}", self.events())).execute().await?;
        if commit.is_some() {
            warehouse.query(&format!("EXCHANGE TABLES commits AND {}", self.commits())).execute().await?;
        }
        Ok(())
    }

    /// Ends the restoration; what was exchanged goes. Settling goes on.
    pub async fn end(self) -> Result<(), WarehouseError> {
        for table in [self.events(), self.commits()] {
            self.warehouse.query(&format!("DROP TABLE IF EXISTS {table} SYNC")).execute().await?;
        }
        self.alive.abort();
        self.warehouse.note_restoration(self.run, true).await
    }
}
