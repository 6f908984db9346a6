//! What the command line does besides `up`.

pub mod clickhouse;
pub mod demo;
pub mod doctor;
pub mod erase;
pub mod export;
pub mod import;
pub mod ledger;
pub mod reconcile;
pub mod replay;
pub mod report;
pub mod retention;
pub mod setup;
pub mod status;
mod table;
pub mod trace;
