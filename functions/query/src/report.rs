//! `GET /v1/reports/{name}`

use clickstream_warehouse::{Report, ReportQuery, Table};
use http::{HeaderMap, header};
use serde_json::Value;

use crate::{Answer, QueryError, answer, parameters::Parameters, sources::Sources};

/// Longest span of a report, days.
const MOST_DAYS: i32 = 400;
/// Years that ClickHouse's type Date holds whole, with a look-back.
const FIRST_YEAR: i16 = 1971;
/// The last of them.
const LAST_YEAR: i16 = 2148;

/// A report as JSON, or as CSV where that is asked for.
pub async fn report(sources: &Sources, name: &str, parameters: &Parameters, headers: &HeaderMap) -> Result<Answer, QueryError> {
    let names = || Report::ALL.map(Report::as_str).join(", ");
    let report = Report::from_name(name).ok_or_else(|| QueryError::NotFound(format!("/v1/reports/{name} (there are {})", names())))?;
    let (from, to) = (parameters.day("from")?, parameters.day("to")?);
    if to < from {
        return Err(QueryError::Parameter { name: "to", right: "it is before from".to_owned() });
    }
    if from.until(to).is_ok_and(|span| span.get_days() >= MOST_DAYS) {
        return Err(QueryError::Parameter { name: "from", right: format!("a report spans at most {MOST_DAYS} days") });
    }
    if from.year() < FIRST_YEAR || to.year() > LAST_YEAR {
        return Err(QueryError::Parameter { name: "from", right: format!("days of the years {FIRST_YEAR} to {LAST_YEAR}") });
    }
    let query = ReportQuery { report, site: parameters.site()?.to_owned(), from, to, path: parameters.get("path").map(str::to_owned) };
    let table = sources.warehouse.report(&query).await?;
    let csv = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok()).is_some_and(|a| a.contains("text/csv"));
    if csv { Ok(answer::typed(csv_of(&table)?, "text/csv; charset=utf-8")) } else { answer::json(&table) }
}

fn csv_of(table: &Table) -> Result<Vec<u8>, QueryError> {
    let failed = |e: csv::Error| QueryError::Broken(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns).map_err(failed)?;
    for row in &table.rows {
        let cells = table.columns.iter().map(|column| match row.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => disarmed(text),
            Some(other) => other.to_string(),
        });
        writer.write_record(cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| QueryError::Broken(e.to_string()))
}

/// A text that a spreadsheet would run as a formula gets a quote before it.
fn disarmed(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_a_number_stays_a_number() {
        let row = serde_json::json!({ "text": "=HYPERLINK(\"x\")", "at": "@a", "tab": "\t1", "number": -5, "none": null, "plain": "a,b" });
        let columns = ["text", "at", "tab", "number", "none", "plain"].map(str::to_owned).to_vec();
        let csv = csv_of(&Table { columns, rows: vec![row.as_object().unwrap().clone()] }).unwrap();
        let text = String::from_utf8(csv).unwrap();
        assert_eq!(text, "text,at,tab,number,none,plain\n\"'=HYPERLINK(\"\"x\"\")\",'@a,'\t1,-5,,\"a,b\"\n");
    }
}
