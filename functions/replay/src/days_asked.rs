//! A replay of days as it is asked for: computed, settled where that can be done here, and told.

use async_trait::async_trait;
use clickstream_event::EVENT_SCHEMA;
use clickstream_warehouse::Day;

use crate::{Days, Replay, ReplayError, ReplayReport, ReplayRequest, ReplayVersions, Versions};

/// Settles lake versions in ClickHouse now; where nobody does, they are settled by the clock.
#[async_trait]
pub trait Settles: Send + Sync + 'static {
    /// Settles what is not, or says why it cannot.
    async fn settle(&self) -> Result<(), String>;
}

/// Computes the days, and says what came of it.
pub async fn replay(replay: &Replay, request: &ReplayRequest, from: Day, to: Day) -> Result<ReplayReport, ReplayError> {
    let lake = replay.lake.as_ref().ok_or(ReplayError::NoLake)?;
    let before = lake.snapshot().await?.version;
    let written_by = lake.written_by(before).await?;
    let tables = replay.warehouse.schema_version().await?;
    let mut days = Days::new(replay.objects.clone(), lake.clone(), replay.sites.clone()).with_tombstones(replay.tombstones.clone());
    if let Some(bytes) = replay.memory {
        days = days.with_memory(bytes);
    }
    let mut done = days.run(request, from, to).await?;
    let newest = done.days.iter().filter_map(|day| day.version).max();
    if newest.is_some() {
        settle(replay, &mut done.days).await;
    }
    let sum = |of: fn(&crate::DayReport) -> u64| done.days.iter().map(of).sum();
    Ok(ReplayReport {
        dry_run: request.dry_run,
        read: sum(|day| day.rows + day.erased),
        taken: sum(|day| day.changed),
        erased: sum(|day| day.erased),
        next_day: done.next_day,
        versions: Some(ReplayVersions {
            program: Versions { before: written_by.program, after: Some(env!("CARGO_PKG_VERSION").to_owned()) },
            schema: Versions { before: written_by.schema, after: Some(EVENT_SCHEMA) },
            clickhouse: Versions { before: tables, after: replay.warehouse.schema_version().await? },
            lake: Versions { before: Some(before), after: newest.or(Some(before)) },
        }),
        days: done.days,
        ..ReplayReport::default()
    })
}

/// Settles what was computed, if it can be done here, and notes the loads. The lake's versions stand in any case, and whoever
/// settles next takes them over.
async fn settle(replay: &Replay, days: &mut [crate::DayReport]) {
    let Some(settles) = &replay.settles else { return };
    if let Err(why) = settles.settle().await {
        tracing::warn!(why, "days that were computed anew are not settled yet; the next run of settle does it");
        return;
    }
    for day in days {
        let Some(version) = day.version else { continue };
        match replay.warehouse.load_of(version).await {
            Ok(load_id) => day.load_id = load_id,
            Err(error) => tracing::warn!(version, %error, "the load of a version is not known"),
        }
    }
}
