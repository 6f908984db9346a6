//! What an operator should know of a ClickHouse.

use clickstream_event::Micros;

use crate::{
    Warehouse, WarehouseError,
    migrations::{self, Applied},
};

/// ClickHouse's code for a text that is no statement: it is older than the statement.
const SYNTAX_ERROR: u32 = 62;

/// What [`Warehouse::inspect`] found.
#[derive(Debug)]
pub struct Inspection {
    /// Its version.
    pub version: String,
    /// How far its clock is ahead of ours, µs; half of what its answer took may be wrong.
    pub ahead: i64,
    /// The tables.
    pub migrated: Migrated,
    /// Whether the user may do what the functions do; none where the server is too old to say (before 24.10).
    pub allowed: Option<bool>,
}

/// How far a database was brought.
#[derive(Debug)]
pub enum Migrated {
    /// There is none of that name, or it was never migrated.
    Never,
    /// It has every table.
    UpToDate,
    /// These are still to be applied.
    Missing(Vec<&'static str>),
    /// It was changed in a way that this program does not know.
    Changed(WarehouseError),
}

impl Inspection {
    /// What the functions do in the database, by the names of ClickHouse's rights.
    pub const RIGHTS: &str = "SELECT, INSERT, ALTER DELETE, CREATE TABLE, DROP TABLE";
}

impl Warehouse {
    /// Asks ClickHouse what it is and how the database stands. The database may be missing.
    pub async fn inspect(&self) -> Result<Inspection, WarehouseError> {
        let anywhere = self.without_database();
        let asked = Micros::now();
        let (version, now): (String, i64) = anywhere.query_raw("SELECT version(), toUnixTimestamp64Micro(now64(6))").fetch_one().await?;
        let ahead = now - i64::midpoint(asked.0, Micros::now().0);
        let allowed = self.allowed().await?;
        Ok(Inspection { version, ahead, migrated: self.migrated().await?, allowed })
    }

    async fn migrated(&self) -> Result<Migrated, WarehouseError> {
        let ledger = "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'migrations'";
        let found: u64 = self.without_database().query_raw(ledger).param("database", self.database()).fetch_one().await?;
        if found == 0 {
            return Ok(Migrated::Never);
        }
        let applied: Vec<Applied> = self.query(Applied::ALL).fetch_all().await?;
        if let Some(error) = applied.iter().find_map(|row| migrations::check(self.database(), row).err()) {
            return Ok(Migrated::Changed(error));
        }
        let missing = migrations::missing(&applied);
        Ok(if missing.is_empty() { Migrated::UpToDate } else { Migrated::Missing(missing) })
    }

    /// See [`Inspection::allowed`].
    async fn allowed(&self) -> Result<Option<bool>, WarehouseError> {
        // The name was checked to be an identifier.
        let check = format!("CHECK GRANT {} ON `{}`.*", Inspection::RIGHTS, self.database());
        match self.without_database().query_raw(&check).fetch_one::<u8>().await.map_err(WarehouseError::from) {
            Ok(allowed) => Ok(Some(allowed == 1)),
            Err(WarehouseError::Refused { code: SYNTAX_ERROR, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
