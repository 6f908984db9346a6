//! ClickHouse on a server.

use clickstream_warehouse::{Inspection, Migrated, Warehouse, WarehouseError};

use super::{Finding, clock};
use crate::config::without_password;

/// The part.
pub const PART: &str = "warehouse";

const SETUP: &str = "`clickstream setup`, with a user of WAREHOUSE_URL that may make tables";

/// Looks at the database that `url` names.
pub async fn examine(url: &str, findings: &mut Vec<Finding>) {
    let warehouse = match Warehouse::from_url(url) {
        Ok(warehouse) => warehouse,
        Err(error) => return findings.push(Finding::broken(PART, "WAREHOUSE_URL", error.to_string(), "correct WAREHOUSE_URL")),
    };
    let place = without_password(url);
    match warehouse.inspect().await {
        Ok(found) => {
            findings.push(Finding::ok(PART, "reachable", format!("{place}: ClickHouse {}", found.version)));
            findings.extend([tables(&found, warehouse.database()), rights(&found, warehouse.database())]);
            findings.push(clock::judge(PART, found.ahead));
        }
        Err(error) => {
            let mend = match &error {
                WarehouseError::Unavailable(_) => "start ClickHouse, or correct WAREHOUSE_URL; meanwhile reports stand still",
                _ => "correct user, password and database in WAREHOUSE_URL",
            };
            findings.push(Finding::broken(PART, "reachable", format!("{place}: {error}"), mend));
        }
    }
}

fn tables(found: &Inspection, database: &str) -> Finding {
    match &found.migrated {
        Migrated::UpToDate => Finding::ok(PART, "tables", format!("database {database} has all migrations")),
        Migrated::Never => Finding::broken(PART, "tables", format!("database {database} has none of ours"), SETUP),
        Migrated::Missing(names) => {
            Finding::broken(PART, "tables", format!("database {database} lacks those of {}", names.join(", ")), SETUP)
        }
        Migrated::Changed(error) => Finding::broken(PART, "tables", error.to_string(), "as it says"),
    }
}

fn rights(found: &Inspection, database: &str) -> Finding {
    match found.allowed {
        Some(true) => Finding::ok(PART, "rights", "all that the functions do is allowed"),
        Some(false) => {
            let mend = format!("GRANT {} ON {database}.* to the user of WAREHOUSE_URL", Inspection::RIGHTS);
            Finding::broken(PART, "rights", format!("the user may not do all that the functions do in {database}"), mend)
        }
        None => Finding::ok(PART, "rights", "not asked: this version does not say them"),
    }
}
