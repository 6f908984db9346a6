//! Parameters of a question, each with an error that says what would be right.

use std::time::Duration;

use clickstream_warehouse::Day;

use crate::QueryError;

/// The pairs after the `?`.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads them out of a query.
    pub fn of(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of `name`, if it is given and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The site, which must be named.
    pub fn site(&self) -> Result<&str, QueryError> {
        self.get("site").ok_or_else(|| QueryError::Parameter { name: "site", right: "name the site, as in site=demo".to_owned() })
    }

    /// A day; today (UTC) where it is not given.
    pub fn day(&self, name: &'static str) -> Result<Day, QueryError> {
        match self.get(name) {
            None => Ok(jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()),
            Some(text) => {
                let plain = text.len() == 10;
                text.parse()
                    .ok()
                    .filter(|_| plain)
                    .ok_or_else(|| QueryError::Parameter { name, right: format!("{text:?} is no day such as 2026-11-24") })
            }
        }
    }

    /// Seconds from 0 to `most`; none where they are not given.
    pub fn seconds(&self, name: &'static str, most: u64) -> Result<Duration, QueryError> {
        match self.get(name) {
            None => Ok(Duration::ZERO),
            Some(text) => {
                text.parse().ok().filter(|n| *n <= most).map(Duration::from_secs).ok_or_else(|| QueryError::Parameter {
                    name,
                    right: format!("{text:?} is no whole number of seconds from 0 to {most}"),
                })
            }
        }
    }

    /// A number from 1 to `most`; `usual` where it is not given.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, QueryError> {
        match self.get("limit") {
            None => Ok(usual),
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=most).contains(n))
                .ok_or_else(|| QueryError::Parameter { name: "limit", right: format!("{text:?} is no number from 1 to {most}") }),
        }
    }
}
