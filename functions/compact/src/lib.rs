//! compact: what is new in raw/ into the lake, exactly once; and the lake's upkeep, merges and vacuum.

mod accepted;
mod counted;
mod error;
mod handler;
mod invocation;
mod known;
mod loading;
mod merge;
mod offsets;
mod options;
mod part;
mod plan;
mod rows;
mod settings;
mod sorted;
mod vacuum;

pub use error::CompactError;
pub use handler::{Compact, CompactReport, CompactRequest, Gap};
pub use invocation::{Done, Invocation, Maintenance};
pub use merge::{Merge, MergeReport};
pub use options::{CompactOptions, OptionsError};
pub use settings::{LakeSettings, LakeSettingsError};
pub use vacuum::VacuumRequest;
