//! ClickHouse, where it differs from the lake: too few rows or too many, or tables that are gone.

use clickstream_lake::LakeError;
use clickstream_warehouse::WarehouseError;

use super::repair;
use crate::{Reconcile, ReconcileError, Repair};

/// ClickHouse's codes for a table and a database that are not there.
const NOT_THERE: [u32; 2] = [60, 81];

impl Reconcile {
    /// Makes tables that are gone.
    pub(crate) async fn restore_tables(&self, dry_run: bool) -> Result<Vec<Repair>, ReconcileError> {
        let warehouse = &self.sources.warehouse;
        let looked = async {
            warehouse.newest_commit().await?;
            warehouse.settled_rows().await?;
            warehouse.shown_by_place().await?;
            warehouse.versions_without_marts().await?;
            warehouse.ledger_hours(1).await?;
            warehouse.closed_before().await?;
            warehouse.restoring().await
        };
        match looked.await {
            Ok(_) => Ok(Vec::new()),
            Err(WarehouseError::Refused { code, message }) if NOT_THERE.contains(&code) => {
                tracing::error!(message, "a table of ClickHouse is gone");
                if dry_run {
                    // Without tables nothing else can be looked at.
                    return Err(WarehouseError::Refused { code, message }.into());
                }
                warehouse.restore_tables().await?;
                Ok(vec![repair("tables_restored", warehouse.database(), 1, dry_run)])
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Restores ClickHouse from the lake where the two hold different numbers of rows at the same version.
    pub(crate) async fn restore_what_differs(&self, dry_run: bool) -> Result<Vec<Repair>, ReconcileError> {
        let Some((lake, warehouse)) = self.rows_that_differ().await? else { return Ok(Vec::new()) };
        let what = format!("ClickHouse has {warehouse} settled rows where the lake has {lake}");
        tracing::error!("{what}");
        if !dry_run {
            self.restore_warehouse().await?;
        }
        Ok(vec![repair("warehouse_restored", what, lake.abs_diff(warehouse), dry_run)])
    }

    /// Rows of the lake and of ClickHouse. None where they are the same, or cannot be compared because versions wait to
    /// be settled.
    async fn rows_that_differ(&self) -> Result<Option<(u64, u64)>, ReconcileError> {
        let mut before = None;
        // What differs once may have come in between the two looks.
        for _ in 0..3 {
            let lake = self.sources.lake.snapshot().await?;
            let commit = self.sources.warehouse.newest_commit().await?;
            let rows = self.sources.warehouse.settled_rows().await?;
            let wanted: u64 = lake.files.iter().map(|file| file.rows).sum();
            match &commit {
                Some(commit) if commit.version > lake.version => {
                    return Err(WarehouseError::Operator(format!(
                        "ClickHouse shows version {} of a lake whose newest version is {}: OBJECTS_URL and WAREHOUSE_URL do not belong \
                         together, or an older copy of the bucket was put back; `clickstream rebuild --from lake` takes what the lake has",
                        commit.version, lake.version
                    ))
                    .into());
                }
                Some(commit) if commit.version < lake.version => return Ok(None),
                None if self.can_be_settled(lake.version).await? => return Ok(None),
                _ if rows == wanted => return Ok(None),
                _ => {}
            }
            let now = (lake.version, wanted, rows);
            if before == Some(now) {
                return Ok(Some((wanted, rows)));
            }
            before = Some(now);
        }
        Ok(None)
    }

    /// True where settle can begin with the first version: what that brought has not been merged and vacuumed since.
    async fn can_be_settled(&self, newest: u64) -> Result<bool, ReconcileError> {
        let lake = &self.sources.lake;
        for version in 0..=newest {
            let added = match lake.versions(version, version).await {
                Ok(versions) => versions.first().map(|v| v.added().to_vec()).unwrap_or_default(),
                Err(error @ LakeError::Unavailable(_)) => return Err(error.into()),
                Err(_) => return Ok(false),
            };
            for file in &added {
                match lake.read_file(&file.path).await {
                    Ok(_) => {}
                    Err(error @ LakeError::Unavailable(_)) => return Err(error.into()),
                    Err(_) => return Ok(false),
                }
            }
            if !added.is_empty() {
                break;
            }
        }
        Ok(true)
    }
}
