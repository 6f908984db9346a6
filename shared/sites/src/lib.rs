//! Where sites come from: `SITES`, or what `SITES_FILE` names, a file or an object of the bucket, read again while the
//! service runs.
//!
//! A change takes effect as a whole or not at all: what is broken leaves the sites as they were and says so, in the log,
//! in the metric [`clickstream_telemetry::metric::SITES_FILE_OK`] and in [`LiveSites::state`].

mod live;
mod place;
mod settings;

pub use live::{LiveSites, State};
pub use place::{MAX_FILE_BYTES, Place};
pub use settings::{SettingsError, SitesSetting, visitor_secret};

/// Sites that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SitesFileError {
    /// Nothing is there.
    #[error("SITES_FILE={0} is not there: write it, or name another")]
    Missing(Place),
    /// It cannot be read now; later it may.
    #[error("SITES_FILE={place} cannot be read: {why}")]
    Unreadable {
        /// The file or object.
        place: Place,
        /// What the system says.
        why: String,
    },
    /// What it says cannot be used. The message holds no write key.
    #[error("SITES_FILE={place} is wrong: {why}")]
    Wrong {
        /// The file or object.
        place: Place,
        /// Line, key, what is wrong and what would be right.
        why: String,
    },
}
