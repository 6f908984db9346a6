//! Logs, metric names and the live feed: names and units in one place.
//!
//! What is logged: event ids, keys of objects, offsets, counts, errors. Never: bodies, write keys, addresses.

mod live;
mod logs;
pub mod metric;

pub use live::{LiveEvent, LiveFeed};
pub use logs::{LogFormat, init};
pub use metric::{PrometheusHandle, RecorderError, recorder};
