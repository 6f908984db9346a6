//! intake-topic: events that other systems produce to the topic `inbound`.

mod error;
mod handler;

pub use error::IntakeError;
pub use handler::IntakeTopic;
