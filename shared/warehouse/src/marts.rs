//! Marts: daily numbers of settled events, rebuilt day by day and swapped whole.

use std::collections::BTreeSet;

use clickhouse::Row;
use jiff::ToSpan;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Day, Warehouse, WarehouseError,
    report::{Report, Source},
};

/// How often a rebuild starts over because a newer version was settled meanwhile.
const ROUNDS: u32 = 5;
/// Days rebuilt by one statement.
const RUN: usize = 31;

/// A mart: its table, its SELECT, and which other days an event's day touches.
struct Mart {
    table: &'static str,
    report: Report,
    before: i32,
    after: i32,
}

/// A session belongs to the day it began; a person counts for the 7 and 30 days that end with a day.
const MARTS: [Mart; 5] = [
    Mart { table: "element_daily", report: Report::Elements, before: 0, after: 0 },
    Mart { table: "device_daily", report: Report::Devices, before: 0, after: 0 },
    Mart { table: "page_daily", report: Report::Pages, before: 0, after: 0 },
    Mart { table: "session_daily", report: Report::Sessions, before: 1, after: 1 },
    Mart { table: "user_activity_daily", report: Report::Activity, before: 0, after: 29 },
];

#[derive(Row, Deserialize)]
struct Pending {
    number: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
}

#[derive(Row, Serialize)]
struct Rebuilt {
    version: u64,
}

impl Warehouse {
    /// Versions, and their loads, that were settled since [`Warehouse::marts_rebuilt`] was last told, oldest first and
    /// none left out: also those of a run that died between the two.
    pub async fn versions_without_marts(&self) -> Result<Vec<(u64, Uuid)>, WarehouseError> {
        let pending: Vec<Pending> = self
            .query(
                "SELECT version AS number, min(load_id) AS load FROM commits
                 WHERE version > (SELECT max(toInt64(version)) - (count() = 0) FROM rebuilt) GROUP BY version ORDER BY version",
            )
            .fetch_all()
            .await?;
        Ok(pending.into_iter().map(|p| (p.number, p.load)).collect())
    }

    /// Notes that the marts hold every version up to `version`.
    pub async fn marts_rebuilt(&self, version: u64) -> Result<(), WarehouseError> {
        let mut insert = self.client().insert::<Rebuilt>("rebuilt").await?;
        insert.write(&Rebuilt { version }).await?;
        Ok(insert.end().await?)
    }

    /// Computes the marts of these days anew, widened by what each mart looks back upon, never past today. Doing it
    /// twice changes nothing; readers see a day's old numbers or its new ones, never half of either.
    pub async fn rebuild_marts(&self, days: &[Day]) -> Result<(), WarehouseError> {
        let mut before = self.newest_version().await?;
        for round in 1..=ROUNDS {
            for mart in &MARTS {
                for run in runs(&widened(days, mart, today())) {
                    self.rebuild(mart, &run).await?;
                }
            }
            let after = self.newest_version().await?;
            if after == before {
                return Ok(());
            }
            tracing::info!(round, "a newer version was settled while the marts were rebuilt; rebuilding");
            before = after;
        }
        Err(WarehouseError::Unavailable(format!("versions were settled faster than the marts of {} days can be rebuilt", days.len())))
    }

    async fn newest_version(&self) -> Result<Option<u64>, WarehouseError> {
        Ok(self.newest_commit().await?.map(|commit| commit.version))
    }

    /// Fills a staging table of this run's own and swaps the days in from there.
    async fn rebuild(&self, mart: &Mart, days: &[Day]) -> Result<(), WarehouseError> {
        let table = mart.table;
        let staging = format!("staging_{table}_{}", Uuid::new_v4().simple());
        self.query(&format!("CREATE TABLE {staging} AS {table}")).execute().await?;
        let swapped = self.fill_and_swap(mart, &staging, days).await;
        let dropped = self.query(&format!("DROP TABLE IF EXISTS {staging} SYNC")).execute().await;
        swapped?;
        Ok(dropped?)
    }

    async fn fill_and_swap(&self, mart: &Mart, staging: &str, days: &[Day]) -> Result<(), WarehouseError> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(()) };
        self.large_query(&format!("INSERT INTO {staging} {}", mart.report.select(Source::Settled)))
            .with_setting("max_partitions_per_insert_block", "0")
            .param("from", first.to_string())
            .param("to", last.to_string())
            .execute()
            .await?;
        let filled: Vec<String> = self.query(&format!("SELECT DISTINCT toString(day) FROM {staging}")).fetch_all().await?;
        let filled: BTreeSet<String> = filled.into_iter().collect();
        for day in days {
            let day = day.to_string();
            let sql = if filled.contains(&day) {
                format!("ALTER TABLE {} REPLACE PARTITION '{day}' FROM {staging}", mart.table)
            } else {
                format!("ALTER TABLE {} DROP PARTITION '{day}'", mart.table)
            };
            self.query(&sql).execute().await?;
        }
        Ok(())
    }
}

fn today() -> Day {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

/// The days that change if something happened on `days`, none after `today` unless it was touched itself.
fn widened(days: &[Day], mart: &Mart, today: Day) -> BTreeSet<Day> {
    let around = |day: &Day| (-mart.before..=mart.after).filter_map(move |d| day.checked_add(d.days()).ok()).collect::<Vec<_>>();
    let touched = |day: &Day| days.contains(day);
    days.iter().flat_map(around).filter(|day| *day <= today || touched(day)).collect()
}

/// Runs of days without a gap, each of at most [`RUN`] days.
fn runs(days: &BTreeSet<Day>) -> Vec<Vec<Day>> {
    let mut runs: Vec<Vec<Day>> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some(run) if run.len() < RUN && run.last().and_then(|d| d.tomorrow().ok()) == Some(*day) => run.push(*day),
            _ => runs.push(vec![*day]),
        }
    }
    runs
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_widened_by_what_a_mart_looks_back_upon() {
        let touched = [day("2026-11-10")];
        assert_eq!(widened(&touched, &MARTS[0], day("2026-11-24")).len(), 1);
        assert_eq!(widened(&touched, &MARTS[3], day("2026-11-24")), [day("2026-11-09"), day("2026-11-10"), day("2026-11-11")].into());
        // Thirty days see the event, but only fifteen of them have come.
        assert_eq!(widened(&touched, &MARTS[4], day("2026-11-24")).len(), 15);
        assert_eq!(widened(&touched, &MARTS[4], day("2027-11-24")).len(), 30);
    }

    #[test]
    fn runs_have_no_gaps() {
        let days = BTreeSet::from([day("2026-10-30"), day("2026-10-31"), day("2026-11-01"), day("2026-11-03")]);
        assert_eq!(runs(&days).iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    }
}
