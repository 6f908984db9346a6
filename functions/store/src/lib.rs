//! store: events and rejections of the log into the event store.

mod error;
mod handler;

pub use error::StoreEventsError;
pub use handler::StoreEvents;
