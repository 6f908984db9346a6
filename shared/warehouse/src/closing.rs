//! Days that are closed: their events expired, and their marts stay as they were built last, but those whose rows are people.

use clickhouse::Row;
use jiff::ToSpan as _;
use serde::Serialize;

use crate::{
    Day, Report, ReportQuery, Table, Warehouse, WarehouseError,
    marts::{MARTS, Mart, OnceClosed, today},
    rebuilding::days_since_epoch,
    report::table,
    settled::days_of,
};

#[derive(Row, Serialize)]
struct Closed {
    /// Days since 1970, as ClickHouse keeps them.
    before: u16,
    version: u64,
}

/// A first and a last day.
type Span = (Day, Day);

/// The first day of a mart that is open where events are kept from `kept` on: one that looks back on no earlier day.
pub(crate) fn open_from(mart: &Mart, kept: Day) -> Option<Day> {
    kept.checked_add(i64::from(mart.after).days()).ok()
}

/// The mart that a report is read from where days are closed, and how its rows of a day are ordered; none of a heat map.
fn mart_of(report: Report) -> Option<(&'static Mart, &'static str)> {
    MARTS.iter().find_map(|mart| match mart.once_closed {
        OnceClosed::Stay(of, order) if of == report => Some((mart, order)),
        _ => None,
    })
}

impl Warehouse {
    /// The day before which events expired, so far; none where none did.
    pub async fn closed_before(&self) -> Result<Option<Day>, WarehouseError> {
        let days: Vec<String> = self.query("SELECT toString(max(before)) AS day FROM closed HAVING count() > 0").fetch_all().await?;
        Ok(days_of(&days)?.first().copied())
    }

    /// The first day whose events are all there and will be for as long as a rebuild takes.
    pub(crate) async fn kept_from(&self) -> Result<Option<Day>, WarehouseError> {
        let by_setting = self.open_days.and_then(|days| today().checked_sub(i64::from(days).days()).ok());
        Ok(self.closed_before().await?.max(by_setting))
    }

    /// Lets events of days before `before` go, of lake versions before `version`; they are gone when it returns. Their
    /// days are closed first. Doing it twice changes nothing.
    pub async fn expire_settled(&self, before: Day, version: u64) -> Result<(), WarehouseError> {
        if self.closed_before().await?.is_none_or(|closed| closed < before) {
            let mut insert = self.client().insert::<Closed>("closed").await?;
            insert.write(&Closed { before: days_since_epoch(before).unwrap_or(0), version }).await?;
            insert.end().await?;
        }
        // The text is ours: a day and a number.
        let sql = format!("ALTER TABLE events DELETE WHERE occurred_at < toDateTime64('{before}', 6, 'UTC') AND lake_version < {version}");
        self.query(&sql).with_setting("mutations_sync", "1").execute().await?;
        for mart in MARTS.iter().filter(|mart| matches!(mart.once_closed, OnceClosed::Go)) {
            let sql = format!("ALTER TABLE {} DELETE WHERE day < '{before}'", mart.table);
            self.query(&sql).with_setting("mutations_sync", "1").execute().await?;
        }
        Ok(())
    }

    /// The days of a report that its mart has to answer, and those that events do.
    pub(crate) async fn split_where_closed(&self, query: &ReportQuery) -> Result<(Option<Span>, Option<Span>), WarehouseError> {
        let (from, to) = (query.from, query.to);
        let Some((mart, _)) = mart_of(query.report) else { return Ok((None, Some((from, to)))) };
        let open = self.closed_before().await?.and_then(|kept| open_from(mart, kept));
        Ok(match open {
            Some(open) if open > to => (Some((from, to)), None),
            Some(open) if open > from => (open.yesterday().ok().map(|last| (from, last)), Some((open, to))),
            _ => (None, Some((from, to))),
        })
    }

    /// A report of some days as their mart says it.
    pub(crate) async fn report_of_mart(&self, query: &ReportQuery, from: Day, to: Day) -> Result<Table, WarehouseError> {
        let Some((Mart { table: name, .. }, order)) = mart_of(query.report) else { return Ok(Table::default()) };
        let sql = format!(
            "SELECT * FROM {name} WHERE site_id = {{site:String}} AND day >= {{from:Date}} AND day <= {{to:Date}} ORDER BY day, {order}"
        );
        let statement = self.large_query(&sql).param("site", &query.site).param("from", from.to_string()).param("to", to.to_string());
        table(&statement.fetch_bytes("JSONCompactEachRowWithNamesAndTypes")?.collect().await?)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_mart_is_open_from_where_all_that_it_looks_back_upon_is_kept() {
        let kept: Day = "2026-09-01".parse().unwrap();
        let open = |table: &str| MARTS.iter().find(|mart| mart.table == table).and_then(|mart| open_from(mart, kept)).unwrap();
        assert_eq!(open("element_daily"), kept);
        assert_eq!(open("session_daily").to_string(), "2026-09-02");
        assert_eq!(open("user_activity_daily").to_string(), "2026-09-30");
    }
}
