//! How long a store keeps what it is given.

use crate::StoreError;

/// Days that events and rejections are kept, counted from `received_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events and timelines.
    pub event_days: u32,
    /// Rejections.
    pub rejection_days: u32,
}

impl Default for Retention {
    /// Events 400 days, rejections 30.
    fn default() -> Self {
        Self { event_days: 400, rejection_days: 30 }
    }
}

impl Retention {
    /// Longest that can be asked for, days: a hundred years.
    pub const LONGEST_DAYS: u32 = 36_500;

    /// The default with the events' days of `EVENT_RETENTION_DAYS`, if it is set.
    ///
    /// # Errors
    /// [`StoreError::Setting`] if it is no number of days.
    pub fn from_env() -> Result<Self, StoreError> {
        Self::default().with_event_days(std::env::var("EVENT_RETENTION_DAYS").ok().as_deref())
    }

    fn with_event_days(self, text: Option<&str>) -> Result<Self, StoreError> {
        let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(self) };
        let days = text.parse().ok().filter(|days| (1..=Self::LONGEST_DAYS).contains(days));
        let wrong = || StoreError::Setting(format!("EVENT_RETENTION_DAYS={text:?} is wrong: days from 1 to {}", Self::LONGEST_DAYS));
        Ok(Self { event_days: days.ok_or_else(wrong)?, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number_within_reason() {
        let read = |text| Retention::default().with_event_days(text).map(|r| r.event_days).map_err(|e| e.to_string());
        assert_eq!([read(None), read(Some("")), read(Some("30"))], [Ok(400), Ok(400), Ok(30)]);
        for wrong in ["0", "-1", "36501", "a year"] {
            assert!(read(Some(wrong)).is_err_and(|e| e.contains("EVENT_RETENTION_DAYS") && e.contains(wrong)), "{wrong}");
        }
    }
}
