//! Logs, metrics, traces and the live feed: names and units in one place.
//!
//! What is logged: event ids, keys of objects, offsets, counts, errors. Never: bodies, write keys, addresses.

mod called;
mod emf;
pub mod freshness;
mod function;
mod live;
mod logs;
pub mod metric;
pub mod trace;

pub use called::called;
pub use emf::{Emf, NAMESPACE, Recorded, emf};
pub use function::{Function, awaited, watched, watched_by};
pub use live::{LiveEvent, LiveFeed};
pub use logs::{LogFormat, init};
pub use metric::{PrometheusHandle, RecorderError, recorder};
pub use trace::Origin;
