//! compact: what is new in raw/ into the lake, exactly once; and the lake's upkeep, merges and vacuum.

mod error;
mod handler;
mod invocation;
mod known;
mod merge;
mod plan;
mod rows;
mod settings;
mod vacuum;

pub use error::CompactError;
pub use handler::{Compact, CompactReport, CompactRequest, Gap};
pub use invocation::{Done, Invocation, Maintenance};
pub use merge::{Merge, MergeReport};
pub use settings::{LakeSettings, LakeSettingsError};
pub use vacuum::VacuumRequest;
