//! Fault injection: the real functions on ports that fail by a seed, and a checker that shares no code with them.
//!
//! A seed decides what clients send, who runs when, and what becomes of every call that leaves a function: done, failed
//! before or after its effect, done in part, twice or later, or the function is killed there and started again. All
//! of it runs in one process and one thread, one function at a time, so that a seed that fails does so again.

mod actor;
mod check;
mod columns;
mod drive;
mod fault;
mod life;
mod plan;
mod port;
mod seed;
mod sim;
#[cfg(feature = "faults")]
mod switch;
mod traffic;
mod world;

pub use check::{Promise, Violation};
pub use fault::{Boundary, Fault, Tally};
pub use seed::{Options, Outcome, run};
#[cfg(feature = "faults")]
pub use switch::Switch;
