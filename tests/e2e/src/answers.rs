//! What the service answers, read as a user would.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Service;

/// A report.
#[derive(Debug, Deserialize)]
pub struct Rows {
    /// Names in order.
    pub columns: Vec<String>,
    /// A value per column.
    pub rows: Vec<Map<String, Value>>,
}

/// Views and clicks per element, over all days of a report.
pub type Sums = BTreeMap<String, (u64, u64)>;

impl Rows {
    /// The sums of the report `elements`.
    ///
    /// # Panics
    /// If it is another report.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        for row in &self.rows {
            let count = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("{name} is a count: {row:?}"));
            let sum = sums.entry(row["element_id"].as_str().expect("element_id is a text").to_owned()).or_default();
            sum.0 += count("views");
            sum.1 += count("clicks");
        }
        sums
    }
}

#[derive(Deserialize)]
struct Row {
    event_id: Uuid,
}

impl Service {
    /// The report `name` of site `demo` over a span of days.
    ///
    /// # Panics
    /// If the answer is no report.
    pub async fn report(&self, name: &str, from: &str, to: &str) -> Rows {
        let answer = self.json(&format!("/v1/reports/{name}?site=demo&from={from}&to={to}")).await;
        serde_json::from_value(answer).expect("columns and rows")
    }

    /// How often each event id stands in the export of site `demo`.
    ///
    /// # Panics
    /// If the command fails, or a line is no event.
    pub async fn exported(&self, from: &str, to: &str) -> BTreeMap<Uuid, u32> {
        let text = self.command(["export", "--site", "demo", "--from", from, "--to", to]).await.expect_success();
        let mut exported = BTreeMap::new();
        for line in text.lines() {
            let row: Row = serde_json::from_str(line).unwrap_or_else(|e| panic!("no event ({e}): {line}"));
            *exported.entry(row.event_id).or_default() += 1;
        }
        exported
    }
}
