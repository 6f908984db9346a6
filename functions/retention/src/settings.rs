//! How long what is kept.

use std::time::Duration;

use clickstream_lake::LakeDays;

/// A variable of days.
struct Days {
    name: &'static str,
    least: u32,
    most: u32,
}

const RAW: Days = Days { name: "RAW_RETENTION_DAYS", least: 1, most: 3_650 };
const INBOX: Days = Days { name: "INBOX_RETENTION_DAYS", least: 1, most: 36_500 };
const QUARANTINE: Days = Days { name: "QUARANTINE_RETENTION_DAYS", least: 1, most: 36_500 };
/// Days of raw objects where nothing is said.
const RAW_DAYS: u32 = 30;
/// Days of the quarantine where nothing is said.
const QUARANTINE_DAYS: u32 = 90;

/// A variable with a value that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}={value:?} is wrong: {right}")]
pub struct RetentionSettingsError {
    name: &'static str,
    value: String,
    right: String,
}

/// Who removes raw objects that nobody needs any more: `RAW_EXPIRY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawExpiry {
    /// This function: `delete`.
    Delete,
    /// The bucket, by a rule that waits for a tag, which this function puts: `tag`.
    Tag,
}

impl RawExpiry {
    /// What the variable says.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Tag => "tag",
        }
    }

    /// `RAW_EXPIRY`, or `usual`.
    pub fn from_env(usual: Self) -> Result<Self, RetentionSettingsError> {
        let value = std::env::var("RAW_EXPIRY").unwrap_or_default();
        Self::parse(&value, usual)
    }

    fn parse(value: &str, usual: Self) -> Result<Self, RetentionSettingsError> {
        match value {
            "" => Ok(usual),
            "delete" => Ok(Self::Delete),
            "tag" => Ok(Self::Tag),
            _ => Err(RetentionSettingsError {
                name: "RAW_EXPIRY",
                value: value.to_owned(),
                right: "delete, or tag where a rule of the bucket removes what is tagged".to_owned(),
            }),
        }
    }
}

/// How long what is kept, and who removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionSettings {
    /// `RAW_RETENTION_DAYS`: raw objects, once settled.
    pub raw_days: u32,
    /// `RAW_EXPIRY`.
    pub raw_expiry: RawExpiry,
    /// `INBOX_RETENTION_DAYS`: files of the inbox and their receipts, once taken. None: they are kept.
    pub inbox_days: Option<u32>,
    /// `QUARANTINE_RETENTION_DAYS`: what nobody could take.
    pub quarantine_days: u32,
    /// `LAKE_DAYS`: days of the lake and of ClickHouse.
    pub lake_days: LakeDays,
    /// No day leaves the lake while a version waits longer than this to be settled.
    pub settled_within: Duration,
}

impl RetentionSettings {
    /// What the environment says; `usual` is who removes raw objects where it says nothing. The lake keeps every day:
    /// `LAKE_DAYS` is read by [`LakeDays::from_env`].
    pub fn from_env(usual: RawExpiry) -> Result<Self, RetentionSettingsError> {
        Ok(Self {
            raw_days: RAW.read()?.unwrap_or(RAW_DAYS),
            raw_expiry: RawExpiry::from_env(usual)?,
            inbox_days: INBOX.read()?,
            quarantine_days: QUARANTINE.read()?.unwrap_or(QUARANTINE_DAYS),
            ..Self::default()
        })
    }

    /// The variables with what they say.
    pub fn describe(&self) -> [(&'static str, String); 5] {
        [
            (RAW.name, self.raw_days.to_string()),
            ("RAW_EXPIRY", self.raw_expiry.as_str().to_owned()),
            (INBOX.name, self.inbox_days.map_or_else(|| "(not set: kept)".to_owned(), |days| days.to_string())),
            (QUARANTINE.name, self.quarantine_days.to_string()),
            self.lake_days.describe(),
        ]
    }
}

impl Default for RetentionSettings {
    /// Raw objects 30 days, deleted; the quarantine 90; inbox and lake for ever.
    fn default() -> Self {
        Self {
            raw_days: RAW_DAYS,
            raw_expiry: RawExpiry::Delete,
            inbox_days: None,
            quarantine_days: QUARANTINE_DAYS,
            lake_days: LakeDays::default(),
            settled_within: Duration::from_hours(24),
        }
    }
}

impl Days {
    fn read(&self) -> Result<Option<u32>, RetentionSettingsError> {
        self.parse(&std::env::var(self.name).unwrap_or_default())
    }

    fn parse(&self, value: &str) -> Result<Option<u32>, RetentionSettingsError> {
        let Self { name, least, most } = *self;
        if value.is_empty() {
            return Ok(None);
        }
        match value.parse() {
            Ok(days) if (least..=most).contains(&days) => Ok(Some(days)),
            _ => Err(RetentionSettingsError { name, value: value.to_owned(), right: format!("days from {least} to {most}") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        assert_eq!((RAW.parse(""), RAW.parse("7")), (Ok(None), Ok(Some(7))));
        let said = |days: &Days, value: &str| days.parse(value).map_err(|error| error.to_string());
        assert_eq!(said(&RAW, "0"), Err("RAW_RETENTION_DAYS=\"0\" is wrong: days from 1 to 3650".to_owned()));
        assert_eq!(said(&INBOX, "x"), Err("INBOX_RETENTION_DAYS=\"x\" is wrong: days from 1 to 36500".to_owned()));
        let expiry = |value: &str| RawExpiry::parse(value, RawExpiry::Tag).map_err(|error| error.to_string());
        assert_eq!([expiry(""), expiry("delete")], [Ok(RawExpiry::Tag), Ok(RawExpiry::Delete)]);
        assert!(expiry("move").is_err_and(|said| said.contains("RAW_EXPIRY=\"move\" is wrong: delete, or tag")));
    }
}
