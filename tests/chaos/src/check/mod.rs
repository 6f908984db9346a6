//! The checker: what clients were told against the log, the event store, raw objects, the lake and ClickHouse.
//!
//! It shares no code with the functions: it reads records as JSON, Parquet by the parquet crate, and the lake's log line
//! by line.

mod clickhouse;
mod delta;
mod forgotten;
mod lake;
mod ledger;
mod logged;
mod raw;
mod receipts;
mod removed;
mod watch;

use std::{fmt, sync::Arc};

pub use watch::Watch;

use crate::world::World;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// What an answer says is true, and durable.
    Told,
    /// Each event counts once.
    Once,
    /// What was shown stays shown.
    NoHole,
    /// What is accepted is seen before it is settled.
    Fresh,
    /// Everything in the log is in the event store.
    Stored,
    /// Every offset is in a raw object.
    Landed,
    /// Watermarks never pass what the lake does not hold, nor go back.
    Watermarks,
    /// Versions are settled in order, and whole.
    InOrder,
    /// Everything accepted is settled in the end, and nothing else.
    Complete,
    /// A merge changes no row.
    Unchanged,
    /// Nothing goes that a version which is settled late, or a reader of the newest, needs.
    Kept,
    /// Who is erased is gone from every store, and stays gone; whatever came later counts.
    Forgotten,
    /// A receipt of an erasure tells the truth.
    Receipt,
    /// What is played again counts once, under its own id.
    Replayed,
    /// The ledger adds up, and says what there is.
    Accounted,
    /// Work comes to its end.
    Ends,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Told => "an answer tells the truth",
            Self::Once => "each event counts once",
            Self::NoHole => "what was shown stays shown",
            Self::Fresh => "what is accepted is seen before it is settled",
            Self::Stored => "everything in the log is in the event store",
            Self::Landed => "every offset is in a raw object",
            Self::Watermarks => "watermarks never pass what the lake does not hold",
            Self::InOrder => "versions are settled in order and whole",
            Self::Complete => "everything accepted is settled in the end",
            Self::Unchanged => "a merge changes no row",
            Self::Kept => "what is needed stays",
            Self::Forgotten => "who is erased is gone and stays gone",
            Self::Receipt => "a receipt tells the truth",
            Self::Replayed => "what is played again counts once",
            Self::Accounted => "the ledger adds up",
            Self::Ends => "work comes to its end",
        })
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// By what.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(promise: Promise, what: impl Into<String>) -> Self {
        Self { promise, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}: {}", self.promise, self.what)
    }
}

/// `Err` unless it holds.
pub(crate) fn hold(holds: bool, promise: Promise, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(promise, what())) }
}

/// Checked when all is landed and loaded, and not all is settled and erased.
pub fn fresh(world: &Arc<World>) -> Result<(), Violation> {
    let logged = logged::read(world)?;
    logged::answers(world, &logged)?;
    logged::stored(world, &logged, false)?;
    raw::landed(world, &logged, false)?;
    clickhouse::shown(world, &logged, Promise::Fresh, false)
}

/// Checked when everything is settled, erased, played again and compared.
pub fn settled(world: &Arc<World>) -> Result<(), Violation> {
    let logged = logged::read(world)?;
    logged::answers(world, &logged)?;
    logged::replayed(world, &logged)?;
    logged::stored(world, &logged, true)?;
    raw::landed(world, &logged, true)?;
    let versions = delta::read(world)?;
    removed::check(world, &versions)?;
    let lake = lake::check(&versions, &logged)?;
    receipts::check(world, &logged, &versions)?;
    clickhouse::commits(world, &versions, &lake, &logged)?;
    clickhouse::shown(world, &logged, Promise::Complete, true)?;
    clickhouse::forgotten(world, &logged)?;
    clickhouse::marts(world)?;
    ledger::check(world, &logged, &lake)
}
