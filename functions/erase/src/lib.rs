//! erase: a person out of every store, with a signed receipt; and a copy of what is held of them.
//!
//! The order makes it certain. Tombstones come first: from then on every step leaves the person's events out. Then an
//! empty lake version: whoever computes on an older one starts again. Then each store is gone through, and after a pause
//! once more for what was under way. Every step may be cut off and done again.

mod error;
mod export;
mod files;
mod from;
mod handler;
mod lake;
mod persons;
mod raw;
mod receipt;
mod rejected;
mod request;
mod spill;
mod state;
mod steps;
mod versions;

pub use error::EraseError;
pub use export::{Export, Line};
pub use from::{EraseFrom, Exported};
pub use handler::{Erase, Settles, Timing};
pub use receipt::{Left, Receipt, Removed, SignedReceipt};
pub use request::EraseRequest;
pub use state::{Erasure, Step};
