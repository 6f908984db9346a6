//! reconcile: the ledger of what every step has of every partition, and the repair of what is missing. rebuild: ClickHouse
//! and the event store anew from the lake.

mod error;
mod gaps;
mod handler;
mod lag;
mod ledger;
mod raw;
mod rebuild;
mod repair;
mod request;
mod settings;
mod shown;
mod with;

pub use error::ReconcileError;
pub use gaps::LedgerGap;
pub use handler::{Reconcile, Sources};
pub use lag::Lag;
pub use ledger::Ledger;
pub use rebuild::{RebuildFrom, RebuildPart, RebuildReport, RebuildRequest};
pub use request::{ReconcileReport, ReconcileRequest, Repair};
pub use settings::{Groups, Settings};
pub use with::{ReconcileWith, RestoreInto};
