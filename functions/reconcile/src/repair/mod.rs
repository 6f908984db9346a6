//! What reconcile mends, each kind by itself.

pub mod notifications;
pub mod refill;
pub mod store;
pub mod warehouse;

use crate::Repair;

/// A repair that was done, or would be.
pub fn repair(kind: &str, what: impl Into<String>, count: u64, dry_run: bool) -> Repair {
    Repair { kind: kind.to_owned(), what: what.into(), count, done: !dry_run }
}
