//! Tombstones on a real bucket, and what they drop.
#![expect(clippy::unwrap_used, reason = "tests")]

mod dropping;
mod keeping;
