//! Marts: daily numbers of settled events, rebuilt day by day and swapped whole.

use std::collections::BTreeSet;

use clickhouse::Row;
use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Day, Warehouse, WarehouseError, rebuilding::Rebuild, report::Report, settled::days_of, warehouse::requested};

/// How often a rebuild starts over because a newer version was settled meanwhile.
const ROUNDS: u32 = 5;
/// Days rebuilt by one statement.
const RUN: usize = 31;

/// A mart: its table, its SELECT, and which other days an event's day touches.
pub(crate) struct Mart {
    pub(crate) table: &'static str,
    pub(crate) select: &'static str,
    before: i32,
    /// Days after an event's that see it: as many before its own does a day look back upon.
    pub(crate) after: i32,
    pub(crate) once_closed: OnceClosed,
}

/// What becomes of a mart's days once their events have expired.
#[derive(Clone, Copy)]
pub(crate) enum OnceClosed {
    /// They stay as they were built last, and this report is read from them, the rows of a day in this order.
    Stay(Report, &'static str),
    /// They go too: their rows are single people.
    Go,
}

macro_rules! mart {
    ($table:literal, $before:literal, $after:literal, $once_closed:expr) => {
        Mart {
            table: $table,
            select: include_str!(concat!("../../../schema/clickhouse/marts/", $table, ".sql")),
            before: $before,
            after: $after,
            once_closed: $once_closed,
        }
    };
}

/// A session belongs to the day it began; a person counts for the 7 and 30 days that end with a day.
pub(crate) const MARTS: [Mart; 7] = [
    mart!("element_daily", 0, 0, OnceClosed::Stay(Report::Elements, "views DESC, clicks DESC, element_id")),
    mart!("device_daily", 0, 0, OnceClosed::Stay(Report::Devices, "events DESC, device_type, os, browser")),
    mart!("page_daily", 0, 0, OnceClosed::Stay(Report::Pages, "rank")),
    mart!("session_daily", 1, 1, OnceClosed::Stay(Report::Sessions, "site_id")),
    mart!("user_activity_daily", 0, 29, OnceClosed::Stay(Report::Activity, "site_id")),
    mart!("person_daily", 0, 0, OnceClosed::Go),
    mart!("source_daily", 0, 0, OnceClosed::Go),
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
    ///
    /// It begins again when a version was settled meanwhile. Cut off before that look, it may leave what it computed
    /// earlier in place of newer numbers: [`Warehouse::finish_rebuilds`] mends that.
    pub async fn rebuild_marts(&self, days: &[Day]) -> Result<(), WarehouseError> {
        let mut before = self.newest_version().await?;
        let mut begun = Vec::new();
        for round in 1..=ROUNDS {
            let rebuild = Rebuild::begin(self, days).await?;
            let done = requested("rebuild_marts", rebuild.days_of_all()).await;
            begun.push(rebuild.run);
            rebuild.drop_staging().await?;
            done?;
            let after = self.newest_version().await?;
            if after == before {
                return self.rebuilds_ended(&begun, days).await;
            }
            tracing::info!(round, "a newer version was settled while the marts were rebuilt; rebuilding");
            before = after;
        }
        Err(WarehouseError::Unavailable(format!("versions were settled faster than the marts of {} days can be rebuilt", days.len())))
    }

    /// Computes every day of every mart anew, each mart exchanged whole. Restorations that ended before have their marts
    /// with it.
    pub async fn rebuild_all_marts(&self) -> Result<(), WarehouseError> {
        let mut begun = self.restored().await?;
        let days: Vec<String> =
            self.query("SELECT DISTINCT toString(toDate(occurred_at)) AS day FROM settled ORDER BY day").fetch_all().await?;
        let days = days_of(&days)?;
        let mut before = self.newest_version().await?;
        for _ in 1..=ROUNDS {
            let rebuild = Rebuild::begin(self, &days).await?;
            let done = rebuild.exchange_all().await;
            begun.push(rebuild.run);
            rebuild.drop_staging().await?;
            done?;
            let after = self.newest_version().await?;
            if after == before {
                self.rebuilds_ended(&begun, &days).await?;
                return match after {
                    Some(version) => self.marts_rebuilt(version).await,
                    None => Ok(()),
                };
            }
            before = after;
        }
        Err(WarehouseError::Unavailable("versions were settled faster than the marts can be rebuilt".to_owned()))
    }

    pub(crate) async fn newest_version(&self) -> Result<Option<u64>, WarehouseError> {
        Ok(self.newest_commit().await?.map(|commit| commit.version))
    }
}

pub(crate) fn today() -> Day {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

/// The days that change if something happened on `days`, none after `today` unless it was touched itself.
pub(crate) fn widened(days: &[Day], mart: &Mart, today: Day) -> BTreeSet<Day> {
    let around = |day: &Day| (-mart.before..=mart.after).filter_map(move |d| day.checked_add(d.days()).ok()).collect::<Vec<_>>();
    let touched = |day: &Day| days.contains(day);
    days.iter().flat_map(around).filter(|day| *day <= today || touched(day)).collect()
}

/// Runs of days without a gap, each of at most [`RUN`] days.
pub(crate) fn runs(days: &BTreeSet<Day>) -> Vec<Vec<Day>> {
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
