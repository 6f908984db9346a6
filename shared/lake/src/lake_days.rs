//! How long days stay in the lake.

use clickstream_event::Micros;
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

/// The variable.
const NAME: &str = "LAKE_DAYS";
/// The fewest days: what monthly active users of today look back upon, and today.
const LEAST: u32 = 31;
/// The most: a hundred years.
const MOST: u32 = 36_500;
/// Rows of a day leave so long after marts of the day are closed: a rebuild that was begun before has ended by then.
const AFTER_CLOSING: i64 = 3_600 * Micros::SECOND;

/// `LAKE_DAYS`: whole days (UTC, by `occurred_at`) that lie further back leave the lake, and with it ClickHouse. Unset, all
/// stay for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LakeDays(Option<u32>);

/// `LAKE_DAYS` with a value that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("LAKE_DAYS={0:?} is wrong: {right}", right = LakeDays::RIGHT)]
pub struct LakeDaysError(String);

impl LakeDays {
    /// What `LAKE_DAYS` may be.
    pub const RIGHT: &str = "days from 31 to 36500, or nothing to keep all";

    /// The setting as it stands in the environment.
    pub fn from_env() -> Result<Self, LakeDaysError> {
        Self::parse(&std::env::var(NAME).unwrap_or_default())
    }

    /// The setting of a text as in the variable; empty keeps all.
    pub fn parse(text: &str) -> Result<Self, LakeDaysError> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(days) if (LEAST..=MOST).contains(&days) => Ok(Self(Some(days))),
            _ => Err(LakeDaysError(text.to_owned())),
        }
    }

    /// The days, if not all are kept. Marts of earlier ones are closed.
    pub fn days(self) -> Option<u32> {
        self.0
    }

    /// The variable with what it says.
    pub fn describe(self) -> (&'static str, String) {
        (NAME, self.0.map_or_else(|| "(not set: kept for ever)".to_owned(), |days| days.to_string()))
    }

    /// The first day that stays, as of `now`; none where all do.
    pub fn first_kept(self, now: Micros) -> Option<Date> {
        let now = Timestamp::from_microsecond(now.0 - AFTER_CLOSING).ok()?;
        TimeZone::UTC.to_datetime(now).date().checked_sub(i64::from(self.0?).days()).ok()
    }
}
