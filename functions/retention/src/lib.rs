//! retention: what is old and needed no more leaves every store, each by its own rule.
//!
//! Rules follow each other in one run, and one that fails does not keep the others. Doing it twice, or two at once, changes
//! nothing more; a run that is cut off is finished by the next. Nothing goes that a later step still needs, however old it
//! is. `docs/retention.md` has the table of all rules.

mod error;
mod handler;
mod request;
mod rules;
mod settings;
mod stores;

pub use error::RetentionError;
pub use handler::Retention;
pub use request::{Applied, RetentionReport, RetentionRequest};
pub use settings::{RawExpiry, RetentionSettings, RetentionSettingsError};
pub use stores::{KeptEvents, KeptTopic, REJECTED_DAYS, Stores, Topics};
