//! Times as senders write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

use crate::Micros;

/// Reads RFC 3339 with any offset, a naive date and time (UTC), or a number since 1970: seconds (10 digits),
/// milliseconds (13) or microseconds (16).
pub fn parse_time(value: &Value) -> Option<Micros> {
    match value {
        Value::String(text) => parse_text(text.trim()),
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|f| f.is_finite()).map(|f| f as i64)).and_then(since_epoch)
        }
        _ => None,
    }
}

fn parse_text(text: &str) -> Option<Micros> {
    if text.len() > 40 {
        return None;
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return since_epoch(text.parse().ok()?);
    }
    let micros = match text.parse::<Timestamp>() {
        Ok(moment) => moment.as_microsecond(),
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?.as_microsecond(),
    };
    within_reason(micros)
}

fn since_epoch(number: i64) -> Option<Micros> {
    within_reason(match number {
        0..=99_999_999_999 => number * 1_000_000,
        100_000_000_000..=99_999_999_999_999 => number * 1_000,
        _ => number,
    })
}

/// Years 1970 to 2200: what every table can hold.
fn within_reason(micros: i64) -> Option<Micros> {
    (0..7_258_118_400_000_000).contains(&micros).then_some(Micros(micros))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_spelling_of_one_moment_is_that_moment() {
        let moment = Some(Micros(1_795_521_600_500_000));
        for spelling in [
            json!("2026-11-24T12:00:00.5Z"),
            json!("2026-11-24T15:00:00.500+03:00"),
            json!("2026-11-24 12:00:00.500000"),
            json!(1_795_521_600_500_i64),
            json!("1795521600500"),
            json!(1_795_521_600_500_000_i64),
        ] {
            assert_eq!(parse_time(&spelling), moment, "{spelling}");
        }
        assert_eq!(parse_time(&json!(1_795_521_600)), Some(Micros(1_795_521_600_000_000)));
        for wrong in [json!("yesterday"), json!(-1), json!(""), json!({}), json!("9999-01-01T00:00:00Z")] {
            assert_eq!(parse_time(&wrong), None, "{wrong}");
        }
    }
}
