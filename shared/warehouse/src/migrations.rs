//! Numbered migrations, each applied once and never changed afterwards.

use clickhouse::Row;
use clickstream_migrations::{checksum, statements};
use serde::{Deserialize, Serialize};

use crate::{Warehouse, WarehouseError};

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        /// Number, name and text, in order.
        const MIGRATIONS: &[(u32, &str, &str)] = &[$(($number, $name, include_str!(concat!("../../../schema/clickhouse/", $name, ".sql")))),+];
    };
}
migrations! {
    1 "0001_events",
    2 "0002_commits",
    3 "0003_fresh",
    4 "0004_views",
    5 "0005_marts",
    6 "0006_merges",
    7 "0007_ledger",
    8 "0008_replaced_days",
    9 "0009_closed",
    10 "0010_people",
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS migrations
(number UInt32, name String, checksum String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'))
ENGINE = MergeTree ORDER BY number";

#[derive(Row, Serialize, Deserialize)]
pub(crate) struct Applied {
    number: u32,
    name: String,
    checksum: String,
}

impl Applied {
    /// What was applied to a database, in order.
    pub(crate) const ALL: &str = "SELECT number, name, checksum FROM migrations ORDER BY number";
}

/// Names of migrations that are not among `applied`.
pub(crate) fn missing(applied: &[Applied]) -> Vec<&'static str> {
    MIGRATIONS.iter().filter(|(number, ..)| !applied.iter().any(|row| row.number == *number)).map(|(_, name, _)| *name).collect()
}

impl Warehouse {
    /// Makes the database and brings its tables up to date. Safe to repeat, also after it was interrupted.
    ///
    /// Refuses a database whose migrations were changed after they were applied, or that a newer program migrated.
    pub async fn migrate(&self) -> Result<(), WarehouseError> {
        let database = self.database();
        // The name was checked to be an identifier.
        self.without_database().query_raw(&format!("CREATE DATABASE IF NOT EXISTS `{database}`")).execute().await?;
        self.query(LEDGER).execute().await?;
        let applied: Vec<Applied> = self.query(Applied::ALL).fetch_all().await?;
        for row in &applied {
            check(database, row)?;
        }
        for (number, name, text) in MIGRATIONS {
            if applied.iter().any(|row| row.number == *number) {
                continue;
            }
            self.apply(text).await?;
            let mut insert = self.client().insert::<Applied>("migrations").await?;
            insert.write(&Applied { number: *number, name: (*name).to_owned(), checksum: checksum(text) }).await?;
            insert.end().await?;
            tracing::info!(database, migration = name, "migrated");
        }
        Ok(())
    }

    /// Makes every table that is missing, also of a database that was migrated and lost some since.
    pub async fn restore_tables(&self) -> Result<(), WarehouseError> {
        self.migrate().await?;
        for (_, _, text) in MIGRATIONS {
            self.apply(text).await?;
        }
        Ok(())
    }

    /// The number of the newest migration that was applied; none before the first.
    pub async fn schema_version(&self) -> Result<Option<u32>, WarehouseError> {
        let applied: Vec<Applied> = self.query(Applied::ALL).fetch_all().await?;
        Ok(applied.iter().map(|row| row.number).max())
    }

    /// Every statement may be repeated.
    async fn apply(&self, text: &str) -> Result<(), WarehouseError> {
        for statement in statements(text) {
            self.query(&statement).execute().await?;
        }
        Ok(())
    }
}

/// Refuses a migration that was changed after it was applied, or that a newer program applied.
pub(crate) fn check(database: &str, row: &Applied) -> Result<(), WarehouseError> {
    let Some((_, name, text)) = MIGRATIONS.iter().find(|(number, ..)| *number == row.number) else {
        return Err(WarehouseError::Operator(format!(
            "database {database} has migration {} ({}), which this version does not know: it was migrated by a newer version; run that one",
            row.number, row.name
        )));
    };
    if row.checksum != checksum(text) {
        return Err(WarehouseError::Operator(format!(
            "migration {name} was changed after database {database} was migrated with it: put the old text back and add a new migration"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps_and_named_by_their_number() {
        for (at, (number, name, text)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(*number as usize, at + 1);
            assert!(name.starts_with(&format!("{number:04}_")), "{name}");
            let repeatable =
                |s: &String| ["IF NOT EXISTS", " MODIFY SETTING ", "CREATE OR REPLACE VIEW"].iter().any(|words| s.contains(words));
            assert!(statements(text).iter().all(repeatable), "{name} cannot be repeated");
        }
    }

    #[test]
    fn a_changed_or_newer_migration_is_refused() {
        let changed = Applied { number: 1, name: "0001_events".into(), checksum: "00".into() };
        assert!(check("d", &changed).is_err_and(|e| e.to_string().contains("was changed")));
        let newer = Applied { number: 9_999, name: "9999_x".into(), checksum: "00".into() };
        assert!(check("d", &newer).is_err_and(|e| e.to_string().contains("newer version")));
        assert_eq!(missing(&[changed, newer]).first(), Some(&"0002_commits"));
    }
}
