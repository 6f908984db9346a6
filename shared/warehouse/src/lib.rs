//! The warehouse port: ClickHouse by its official client, and ClickHouse in this process ([`embedded`]).
//!
//! Rows come in twice: seconds after they were landed into `fresh` ([`Warehouse::insert_raw`]), and settled out of
//! the lake into `events` ([`Warehouse::insert_settled`], made visible by [`Warehouse::commit`]). The view `clicks`
//! shows each event once, wherever it stands; the marts are computed from settled events. The tables are defined in
//! `schema/clickhouse/`, nowhere else.

mod closing;
mod commits;
mod config;
pub mod conformance;
pub mod embedded;
mod error;
mod find;
pub mod fingerprint;
mod fresh;
mod inspect;
mod ledger;
mod marts;
mod migrations;
mod parquet_rows;
mod persons;
mod rebuilding;
mod replaced;
mod report;
mod settled;
mod shadow;
mod warehouse;

pub use commits::Commit;
pub use config::{DEFAULT_DATABASE, WarehouseConfig};
pub use error::WarehouseError;
pub use find::InWarehouse;
pub use fingerprint::Fingerprint;
pub use inspect::{Inspection, Migrated};
pub use ledger::{LedgerHour, LedgerRow, Repaired};
pub use persons::PersonColumn;
pub use report::{Report, ReportQuery, Table};
pub use shadow::Shadow;
pub use warehouse::Warehouse;

/// A day by the calendar of UTC.
pub type Day = jiff::civil::Date;
