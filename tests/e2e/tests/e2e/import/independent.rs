//! What DuckDB computes from the files (`independent.py`), and comparing rows with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// One row by column.
pub type Row = Map<String, Value>;

/// Relative difference of two sums of the same numbers in another order.
const ROUNDING: f64 = 1e-9;

/// Counts of one file.
#[derive(Debug, Deserialize)]
pub struct ExpectedReceipt {
    /// Records in all.
    pub lines: u64,
    /// Kept without a remark.
    pub accepted: u64,
    /// Kept with warnings.
    pub suspicious: u64,
    /// Not kept.
    pub rejected: u64,
    /// Lines of what is not kept.
    pub rejected_lines: Vec<u64>,
}

/// What must come out.
#[derive(Debug, Deserialize)]
pub struct Expected {
    /// By file name.
    pub receipts: BTreeMap<String, ExpectedReceipt>,
    /// Rows of each report.
    pub reports: BTreeMap<String, Vec<Row>>,
    /// Ids of the distinct events.
    #[serde(skip)]
    pub ids: BTreeSet<Uuid>,
    /// The first day.
    #[serde(skip)]
    pub from: String,
    /// The last day.
    #[serde(skip)]
    pub to: String,
}

impl Expected {
    /// Computes it from the files.
    pub async fn compute(folder: &Path, files: &[PathBuf], from: &str, to: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("PYTHON").map_or_else(|| here.join("../../target/venv/bin/python"), PathBuf::from);
        let list = folder.join("ids.txt");
        let mut command = tokio::process::Command::new(&python);
        command.arg(here.join("independent.py")).args(["--from", from, "--to", to, "--ids"]).arg(&list).args(files);
        let output = command.output().await.unwrap_or_else(|e| panic!("{} does not start ({e}): make e2e installs it", python.display()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut expected: Self = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let ids = std::fs::read_to_string(list).expect("the list of ids");
        expected.ids = ids.lines().map(|id| id.parse().expect("a UUID")).collect();
        (expected.from, expected.to) = (from.to_owned(), to.to_owned());
        expected
    }
}

/// Both hold the same rows, whatever their order; columns that `wanted` does not name may hold anything.
pub fn same_rows(what: &str, got: &[Row], wanted: &[Row]) {
    assert!(!wanted.is_empty(), "{what}: nothing is expected");
    let (got, wanted) = (by_name(got), by_name(wanted));
    assert_eq!(got.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
    for (name, wanted) in &wanted {
        for (column, value) in *wanted {
            assert!(same(&got[name][column], value), "{what}, {name}: {column} is {} instead of {value}", got[name][column]);
        }
    }
}

/// Rows by the texts that name them.
fn by_name(rows: &[Row]) -> BTreeMap<String, &Row> {
    let name = |row: &Row| {
        let texts = ["day", "element_id", "path", "device_type", "os", "browser"]
            .map(|column| row.get(column).and_then(Value::as_str).unwrap_or("-"));
        texts.join(" ")
    };
    let named: BTreeMap<_, _> = rows.iter().map(|row| (name(row), row)).collect();
    assert_eq!(named.len(), rows.len(), "two rows have one name");
    named
}

fn same(got: &Value, wanted: &Value) -> bool {
    match (got.as_f64(), wanted.as_f64()) {
        (Some(got), Some(wanted)) => (got - wanted).abs() <= ROUNDING * wanted.abs().max(1.0),
        _ => got == wanted,
    }
}
