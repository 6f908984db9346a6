//! The fault-injection suite in the bounded form, its teeth, and the model of the commit protocol.
#![expect(clippy::unwrap_used, reason = "tests")]

mod model;
mod seeds;
#[cfg(feature = "faults")]
mod teeth;
