//! Tombstones: whose events are forgotten, and what drops them wherever they come by.
