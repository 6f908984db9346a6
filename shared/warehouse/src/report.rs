//! Reports: the marts' SELECTs, live over the view `clicks`.

use bytes::Bytes;
use futures::{Stream, stream};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{Day, Warehouse, WarehouseError, warehouse::requested};

macro_rules! select {
    ($name:literal) => {
        include_str!(concat!("../../../schema/clickhouse/marts/", $name, ".sql"))
    };
}

/// A report, and where it has one, its mart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// Views and clicks of elements.
    Elements,
    /// Pages by views.
    Pages,
    /// Sessions and their durations.
    Sessions,
    /// Devices, systems and browsers.
    Devices,
    /// People active in a day, a week, a month.
    Activity,
    /// Where people click; it has no mart.
    Heatmap,
}

impl Report {
    /// Every report.
    pub const ALL: [Self; 6] = [Self::Elements, Self::Pages, Self::Sessions, Self::Devices, Self::Activity, Self::Heatmap];

    /// The name in `/v1/reports/{name}`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elements => "elements",
            Self::Pages => "pages",
            Self::Sessions => "sessions",
            Self::Devices => "devices",
            Self::Activity => "activity",
            Self::Heatmap => "heatmap",
        }
    }

    /// The report that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|report| report.as_str() == name)
    }

    /// Its SELECT; see [`over`].
    pub(crate) fn select(self, source: Source) -> String {
        let text = match self {
            Self::Elements => select!("element_daily"),
            Self::Pages => select!("page_daily"),
            Self::Sessions => select!("session_daily"),
            Self::Devices => select!("device_daily"),
            Self::Activity => select!("user_activity_daily"),
            Self::Heatmap => select!("heatmap"),
        };
        over(text, source)
    }
}

/// A SELECT of schema/clickhouse/marts with the source and the condition on the site put in; both are texts of ours, never
/// of a caller.
pub(crate) fn over(select: &str, source: Source) -> String {
    let (table, site) = match source {
        Source::Live => ("clicks", "e.site_id = {site:String}"),
        Source::Settled => ("settled", "true"),
    };
    select.replace("$source", table).replace("$site", site)
}

/// What a SELECT reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// One site's events, seconds old.
    Live,
    /// Every site's settled events.
    Settled,
}

/// What to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    /// Which report.
    pub report: Report,
    /// Of which site.
    pub site: String,
    /// The first day, UTC.
    pub from: Day,
    /// The last day, UTC; it counts too.
    pub to: Day,
    /// Only this page; the heatmap alone heeds it.
    pub path: Option<String>,
}

/// Rows with named columns, in the report's order. Whole numbers of 64 bits are numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Table {
    /// The columns' names, in order.
    pub columns: Vec<String>,
    /// The rows by column.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Value>>)]
    pub rows: Vec<Map<String, Value>>,
}

/// The longest range of a report, days.
const LONGEST: i32 = 400;

impl Warehouse {
    /// Computes a report over what is visible now. Days whose events expired are those of the mart; a heat map has none.
    pub async fn report(&self, query: &ReportQuery) -> Result<Table, WarehouseError> {
        check_range(query.from, query.to)?;
        let (closed, open) = self.split_where_closed(query).await?;
        let mut table = match closed {
            Some((from, to)) => self.report_of_mart(query, from, to).await?,
            None => Table::default(),
        };
        if let Some((from, to)) = open {
            let live = self.report_live(query, from, to).await?;
            table.columns = live.columns;
            table.rows.extend(live.rows);
        }
        Ok(table)
    }

    async fn report_live(&self, query: &ReportQuery, from: Day, to: Day) -> Result<Table, WarehouseError> {
        let mut statement = self
            .large_query(&query.report.select(Source::Live))
            .param("site", &query.site)
            .param("from", from.to_string())
            .param("to", to.to_string());
        if query.report == Report::Heatmap {
            statement = statement.param("path", query.path.as_deref());
        }
        let text = requested("report", async { Ok(statement.fetch_bytes("JSONCompactEachRowWithNamesAndTypes")?.collect().await?) });
        table(&text.await?)
    }

    /// A site's visible events of some days, in one of ClickHouse's row formats (`JSONEachRow`, `CSVWithNames`), as
    /// they are read: memory does not grow with their number.
    pub fn export(
        &self,
        site: &str,
        from: Day,
        to: Day,
        format: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, WarehouseError>> + Send + use<>, WarehouseError> {
        check_range(from, to)?;
        if !matches!(format, "JSONEachRow" | "CSVWithNames" | "TabSeparatedWithNames") {
            return Err(WarehouseError::refused(format!(
                "export format {format:?} is not one of JSONEachRow, CSVWithNames, TabSeparatedWithNames"
            )));
        }
        let cursor = self
            .large_query(
                "SELECT * FROM clicks WHERE site_id = {site:String}
                 AND occurred_at >= toDateTime64({from:Date}, 6, 'UTC') AND occurred_at < toDateTime64({to:Date} + 1, 6, 'UTC')",
            )
            .param("site", site)
            .param("from", from.to_string())
            .param("to", to.to_string())
            .fetch_bytes(format)?;
        Ok(stream::try_unfold(cursor, |mut cursor| async move { Ok(cursor.next().await?.map(|bytes| (bytes, cursor))) }))
    }
}

fn check_range(from: Day, to: Day) -> Result<(), WarehouseError> {
    let days = from.until(to).map_err(|e| WarehouseError::refused(format!("days {from} to {to} make no range: {e}")))?.get_days();
    // ClickHouse's type Date begins in 1970 and ends in 2149.
    let known = from.year() >= 1971 && to.year() <= 2148;
    if !(0..LONGEST).contains(&days) || !known {
        return Err(WarehouseError::refused(format!("days {from} to {to} are no range of 1 to {LONGEST} days between 1971 and 2148")));
    }
    Ok(())
}

/// Reads names, types, then rows, a JSON array a line.
pub(crate) fn table(text: &[u8]) -> Result<Table, WarehouseError> {
    let odd = |e: serde_json::Error| WarehouseError::Operator(format!("ClickHouse's rows are no JSON: {e}"));
    let mut lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let columns: Vec<String> = lines.next().map_or(Ok(Vec::new()), serde_json::from_slice).map_err(odd)?;
    let rows = lines
        .skip(1)
        .map(|line| serde_json::from_slice::<Vec<Value>>(line).map(|values| columns.iter().cloned().zip(values).collect()))
        .collect::<Result<_, _>>()
        .map_err(odd)?;
    Ok(Table { columns, rows })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::marts::MARTS;

    #[test]
    fn rows_are_read_by_the_names_of_the_first_line() {
        let table = table(b"[\"a\", \"b\"]\n[\"UInt64\", \"String\"]\n[18446744073709551615, \"x\"]\n").unwrap();
        assert_eq!(table.columns, ["a", "b"]);
        assert_eq!(table.rows[0]["a"].as_u64(), Some(u64::MAX));
        assert_eq!(super::table(b"").unwrap(), Table::default());
    }

    #[test]
    fn every_select_names_its_parameters_and_nothing_else() {
        for report in Report::ALL {
            assert_eq!(Report::from_name(report.as_str()), Some(report));
        }
        let reports = Report::ALL.into_iter().flat_map(|report| [report.select(Source::Live), report.select(Source::Settled)]);
        for text in reports.chain(MARTS.iter().map(|mart| over(mart.select, Source::Settled))) {
            assert!(!text.contains('$') && text.contains("{from:Date}") && text.contains("{to:Date}"), "{text}");
        }
    }

    #[test]
    fn a_range_ends_after_it_begins() {
        let day = |d: &str| d.parse::<Day>().unwrap();
        assert!(check_range(day("2026-11-24"), day("2026-11-24")).is_ok());
        assert!(check_range(day("2026-11-24"), day("2026-11-23")).is_err());
        assert!(check_range(day("2020-01-01"), day("2026-11-23")).is_err());
    }
}
