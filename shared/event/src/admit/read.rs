//! Typed values out of cells, with a remark for each that cannot be read.

use std::fmt::Write as _;

use serde_json::Value;

use super::draft::{Cell, Field};
use crate::{Reason, ReasonCode};

/// Longest id or name, characters.
pub const NAME: usize = 200;
/// Longest text, characters.
pub const TEXT: usize = 1_000;
/// Longest address or user agent, characters.
pub const ADDRESS: usize = 2_048;

/// What was remarked so far.
#[derive(Debug, Default)]
pub struct Remarks(pub Vec<Reason>);

impl Remarks {
    /// Adds a remark.
    pub fn add(&mut self, code: ReasonCode, field: &str, message: impl Into<String>) {
        self.0.push(Reason::new(code, field, message));
    }

    /// A text of at most `limit` characters; numbers are taken as their text. NUL, which no store takes, is left out.
    pub fn text(&mut self, cell: Cell<'_>, limit: usize) -> Option<String> {
        let Field { name, value } = cell?;
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Number(number) => return Some(number.to_string()),
            other => {
                self.wrong_type(name, other, "a string");
                return None;
            }
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        if trimmed.len() <= limit && !trimmed.contains('\0') {
            return Some(trimmed.to_owned());
        }
        let kept: String = trimmed.chars().filter(|c| *c != '\0').take(limit).collect();
        // What is cut, or lay behind a NUL, may begin or end with blanks.
        let kept = kept.trim();
        if trimmed.chars().filter(|c| *c != '\0').nth(limit).is_some() {
            self.add(ReasonCode::FieldTruncated, name, format!("longer than {limit} characters; the rest was cut"));
        }
        (!kept.is_empty()).then(|| kept.to_owned())
    }

    /// A whole number within `low..=high`; fractions are rounded, texts of numbers are read.
    pub fn whole(&mut self, cell: Cell<'_>, low: i64, high: i64) -> Option<i64> {
        let Field { name, value } = cell?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        match number.filter(|n| n.is_finite()).map(f64::round) {
            Some(number) if number >= low as f64 && number <= high as f64 => Some(number as i64),
            Some(_) => {
                self.add(ReasonCode::FieldInvalid, name, format!("left out: wanted a number from {low} to {high}"));
                None
            }
            None => {
                self.wrong_type(name, value, "a number");
                None
            }
        }
    }

    /// [`Remarks::whole`] for CSS pixels and places.
    pub fn pixels(&mut self, cell: Cell<'_>) -> Option<i32> {
        self.whole(cell, -1_000_000, 10_000_000).and_then(|n| i32::try_from(n).ok())
    }

    /// Remarks on a value of a wrong type.
    pub fn wrong_type(&mut self, name: &str, value: &Value, wanted: &str) {
        let mut message = format!("left out: wanted {wanted}, not ");
        let _ = match value {
            Value::Null => write!(message, "null"),
            Value::Bool(_) => write!(message, "a boolean"),
            Value::Number(_) => write!(message, "a number"),
            Value::String(_) => write!(message, "such a text"),
            Value::Array(_) => write!(message, "an array"),
            Value::Object(_) => write!(message, "an object"),
        };
        self.add(ReasonCode::FieldInvalid, name, message);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_is_cut_is_read_again_as_the_same() {
        let read = |text: &str| Remarks::default().text(Some(Field { name: "user_id", value: &json!(text) }), 5);
        assert_eq!(read("  abcd efg").as_deref(), Some("abcd"));
        assert_eq!(read("\0 a\0b \0").as_deref(), Some("ab"));
        assert_eq!(read("\0 \0"), None);
    }
}
