//! Versions that put a day's rows in place of those that stood: the same events, their values computed anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clickstream_event::Micros;
use deltalake_core::{
    kernel::{Action, transaction::CommitData},
    protocol::{DeltaOperation, SaveMode},
};
use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Counts, Lake, LakeError, LakeFile, NewFile, Snapshot,
    actions::{self, PROGRAM, REPLAYED, SCHEMA},
    commit::said,
    counts::COUNTS,
};

/// Day 0 of [`day_of`].
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The day (UTC) of a moment; none for one that no calendar has.
pub fn day_of(moment: Micros) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(moment.0.div_euclid(Micros::DAY)).ok()?).ok()
}

/// The first moment of a day (UTC), and of the day after.
pub fn moments_of(day: Date) -> (Micros, Micros) {
    let days = i64::from(EPOCH.until(day).map_or(0, |span| span.get_days()));
    (Micros(days * Micros::DAY), Micros((days + 1) * Micros::DAY))
}

/// A day computed anew: what a replaying version does.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// The day (UTC) of the rows' `original_at`.
    pub day: Date,
    /// Every file of the snapshot that holds rows of the day.
    pub removed: Vec<LakeFile>,
    /// The day's rows, and no other.
    pub added: Vec<NewFile>,
    /// The other rows of the files that go, as they stood.
    pub moved: Vec<NewFile>,
    /// Days (UTC) on which the day's rows happened by `occurred_at`, those of erased rows too: their marts change.
    pub happened_on: BTreeSet<Date>,
    /// Rows of erased people that were left out, by `{log_id}/{partition}`.
    pub erased: BTreeMap<String, u64>,
}

/// What `commitInfo` says of a replay.
#[derive(Debug, Serialize, Deserialize)]
pub struct Replayed {
    /// The day (UTC) of the rows' `original_at`.
    pub day: Date,
    /// Days (UTC) on which they happened.
    pub happened_on: BTreeSet<Date>,
}

/// Which program wrote a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenBy {
    /// Its version; none where the commit does not say it.
    pub program: Option<String>,
    /// The version of the event's fields ([`clickstream_event::EVENT_SCHEMA`]) that it knew; none where the commit does
    /// not say it.
    pub schema: Option<u32>,
}

impl Lake {
    /// Puts the rows of one day in place of those that stand, as the version after `base`. [`LakeError::Lost`] if that
    /// version stands already: then rows may have come to the day that `replay` has not.
    ///
    /// The numbers of rows have to agree: what goes is what comes, and what was erased.
    pub async fn replay(&self, base: &Snapshot, replay: &Replay) -> Result<u64, LakeError> {
        let removed: u64 = replay.removed.iter().map(|file| file.rows).sum();
        let standing: u64 = replay.added.iter().chain(&replay.moved).map(|new| new.file.rows).sum();
        let erased: u64 = replay.erased.values().sum();
        if removed != standing + erased {
            return Err(LakeError::Corrupt(format!(
                "a replay of {} has {standing} rows and {erased} erased ones in place of {removed}; nothing is committed",
                replay.day
            )));
        }
        let gone = replay.removed.iter().map(|file| actions::remove(file, true));
        let added = replay.added.iter().map(|new| Action::Add(new.add(true)));
        let moved = replay.moved.iter().map(|new| Action::Add(new.add(false)));
        let actions = gone.chain(added).chain(moved).collect();
        let (from, to) = moments_of(replay.day);
        let predicate = Some(format!("original_at >= '{from}' AND original_at < '{to}'"));
        let operation = DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate };
        let mut says = said(&base.watermarks);
        let replayed = Replayed { day: replay.day, happened_on: replay.happened_on.clone() };
        says.insert(REPLAYED.to_owned(), json!(replayed));
        says.extend(counts_say(self.counts(base.version).await?, &replay.erased));
        self.write(base.version + 1, CommitData::new(actions, operation, says, Vec::new())).await
    }

    /// Which program wrote a version.
    pub async fn written_by(&self, version: u64) -> Result<WrittenBy, LakeError> {
        let info = actions::info(version, &self.commit_file(version).await?)?;
        let says = |name: &str| info.as_ref().and_then(|info| info.get(name));
        let program = says(PROGRAM).and_then(Value::as_str).map(str::to_owned);
        Ok(WrittenBy { program, schema: says(SCHEMA).and_then(Value::as_u64).and_then(|version| version.try_into().ok()) })
    }
}

/// The counts with these rows moved to `erased`.
fn counts_say(mut counts: Counts, erased: &BTreeMap<String, u64>) -> HashMap<String, Value> {
    for (place, rows) in erased {
        if let Some(counts) = counts.get_mut(place) {
            counts.rows = counts.rows.saturating_sub(*rows);
            counts.erased += rows;
        }
    }
    if counts.is_empty() { HashMap::new() } else { HashMap::from([(COUNTS.to_owned(), json!(counts))]) }
}
