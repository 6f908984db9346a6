//! Whose events are forgotten: tombstones in the bucket, and what drops such events wherever they come by.
//!
//! A tombstone says: on this site the person whose id has this keyed hash is forgotten as of a moment. An event of
//! theirs that was received, or that happened by its sender's clock, at or before that moment is erased; later ones
//! count. `docs/erasure.md` says how the parts work together.

mod erased;
mod error;
mod key;
mod original;
mod raw;
mod tombstone;
mod tombstones;

pub use erased::{Erased, Whose};
pub use error::ErasureError;
pub use key::ErasureKey;
pub use original::{Named, names_in, text_names};
pub use raw::{ERASED, LANDED_AT, forget_rows, rewrite_raw};
pub use tombstone::{Kind, Person, Tombstone};
pub use tombstones::Tombstones;

/// Everything about erasures stands under this prefix of the bucket.
pub const PREFIX: &str = "erasures/";
