//! Rows for people: a table, JSON or CSV.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::Output;

/// Columns and rows as the service answers them.
#[derive(Debug, Deserialize)]
pub struct Rows {
    /// Names in order.
    pub columns: Vec<String>,
    /// A value per column.
    pub rows: Vec<Map<String, Value>>,
}

impl Rows {
    /// Prints as asked.
    pub fn print(&self, output: Output) -> anyhow::Result<()> {
        if output.json {
            println!("{}", serde_json::to_string_pretty(&self.rows)?);
        } else if output.csv {
            println!("{}", self.columns.join(","));
            for row in &self.rows {
                println!("{}", self.cells(row).map(|c| csv_cell(&c)).collect::<Vec<_>>().join(","));
            }
        } else if self.rows.is_empty() {
            println!("no rows");
        } else {
            println!("{}", self.table());
        }
        Ok(())
    }

    fn cells<'a>(&'a self, row: &'a Map<String, Value>) -> impl Iterator<Item = String> + 'a {
        self.columns.iter().map(|column| match row.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_f64() => {
                let text = format!("{:.4}", number.as_f64().unwrap_or_default());
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Some(other) => other.to_string(),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(&self.columns);
        for row in &self.rows {
            // Control characters of event text must not reach the terminal.
            table.add_row(self.cells(row).map(|c| c.chars().filter(|c| !c.is_control()).collect::<String>()));
        }
        for (index, name) in self.columns.iter().enumerate() {
            if self.rows.iter().all(|r| matches!(r.get(name), Some(Value::Number(_) | Value::Null)))
                && let Some(column) = table.column_mut(index)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// Quotes where CSV needs it, and disarms what a spreadsheet would run as a formula.
fn csv_cell(text: &str) -> String {
    let number = text.parse::<f64>().is_ok();
    let armed = !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if armed { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_disarmed() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("-3.5"), "-3.5");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
