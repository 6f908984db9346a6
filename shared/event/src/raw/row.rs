//! Rows of a table with a header line.

use serde_json::{Map, Value};

use super::{RawEvent, Shape};

/// Columns without which no row can become an event, per shape.
const CLICKS: [&str; 3] = ["id", "type", "createdAt"];
const CANONICAL: [&str; 2] = ["event_id", "action"];

/// A header that names the columns of events.
#[derive(Clone, Debug)]
pub struct RowHeader {
    shape: Shape,
    columns: Vec<String>,
}

/// A header that cannot be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the header lacks {missing}: it begins with id,type,createdAt,… or names event_id,action,…")]
pub struct RowHeaderError {
    /// The columns that are missing.
    pub missing: String,
}

impl RowHeader {
    /// Reads the header's names and tells the shape by them.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RowHeaderError> {
        let columns: Vec<String> = names.into_iter().map(|n| n.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        let lacks = |wanted: &[&'static str]| wanted.iter().filter(|w| !columns.iter().any(|c| c == *w)).copied().collect::<Vec<_>>();
        let canonical = lacks(&CANONICAL);
        if canonical.is_empty() {
            return Ok(Self { shape: Shape::Canonical, columns });
        }
        let clicks = lacks(&CLICKS);
        if clicks.is_empty() {
            return Ok(Self { shape: Shape::Clicks, columns });
        }
        let missing = if canonical.len() < CANONICAL.len() { canonical } else { clicks };
        Err(RowHeaderError { missing: missing.join(", ") })
    }

    /// The event of one row. Empty cells and `null` are absent; more cells than columns cannot be read.
    pub fn event<'a>(&self, cells: impl IntoIterator<Item = &'a str>) -> Result<RawEvent, String> {
        let mut fields = Map::with_capacity(self.columns.len());
        let mut cells = cells.into_iter();
        let mut count = 0;
        for column in &self.columns {
            let Some(cell) = cells.next() else { break };
            count += 1;
            if !cell.is_empty() && cell != "null" {
                fields.insert(column.clone(), Value::String(cell.to_owned()));
            }
        }
        let more = cells.count();
        if more > 0 {
            return Err(format!("the row has {} cells, the header {}: quote cells that hold commas", count + more, self.columns.len()));
        }
        Ok(RawEvent { shape: self.shape, fields, text: None })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_lacks_columns_is_named() {
        let error = RowHeader::new(["id", "createdAt"]).unwrap_err();
        assert!(error.to_string().contains("lacks type"), "{error}");
    }

    #[test]
    fn null_and_empty_cells_are_absent() {
        let header = RowHeader::new(["\u{feff}id", "type", "createdAt", "userId"]).unwrap();
        let event = header.event(["1", "CLICK", "null", ""]).unwrap();
        assert_eq!(event.fields.len(), 2);
        assert!(header.event(["1", "2", "3", "4", "5"]).is_err());
    }
}
