//! Logs, metric names and the live feed: names and units in one place.
//!
//! What is logged: event ids, keys of objects, offsets, counts, errors. Never: bodies, write keys, addresses.

mod emf;
mod live;
mod logs;
pub mod metric;

pub use emf::{Emf, NAMESPACE, Recorded, emf};
pub use live::{LiveEvent, LiveFeed};
pub use logs::{LogFormat, init};
pub use metric::{PrometheusHandle, RecorderError, recorder};
