//! One file of the lake: its rows of the day computed some at a time, its others moved as they are.

use std::{ops::RangeInclusive, sync::Arc};

use clickstream_columns::{ColumnsError, LakePart, PlacedEvent, TimedFile, placed_events, write_lake_part};
use clickstream_lake::{LakeError, LakeFile};

use super::{
    Days, Gathered, Pass, Rules,
    identities::{self, Difference, Identity},
    joined, on_a_thread,
    recompute::{Recomputed, recompute},
};
use crate::ReplayError;

/// Memory that a row takes while it is computed, bytes, about: as it stood, its raw copy, as it is now, and as columns.
const ROW_BYTES: u64 = 8 << 10;
/// Rows computed at a time, at least.
const LEAST_ROWS: usize = 256;

impl Days {
    /// Goes through one file.
    pub(super) async fn file(&self, file: &LakeFile, rules: &Arc<Rules>, pass: Pass, work: &mut Gathered) -> Result<(), ReplayError> {
        let input = Arc::new(self.timed(file).await?);
        let spans = spans(&input, rules, ((self.memory / 4 / ROW_BYTES) as usize).max(LEAST_ROWS));
        if spans.is_empty() {
            return Ok(());
        }
        work.report.files += 1;
        let (mut parts, mut gone) = (Vec::new(), Vec::new());
        for span in spans {
            let done = self.span(&input, &file.path, span, rules, pass, work).await?;
            parts.extend(done.part);
            gone.extend(done.gone);
            if pass == Pass::Look && work.changes() {
                return Ok(());
            }
        }
        if pass == Pass::Write {
            let rest = rest(&input, rules).await?;
            check(&input, &file.path, parts.iter().chain(&rest), gone)?;
            drop(input);
            self.take(parts, work).await?;
            work.rest.extend(rest);
            work.removed.push(file.clone());
        }
        Ok(())
    }

    async fn timed(&self, file: &LakeFile) -> Result<TimedFile, ReplayError> {
        let bytes = self.lake.read_file(&file.path).await?;
        let path = file.path.clone();
        let input = on_a_thread(move || TimedFile::read(bytes).map_err(|cause| ReplayError::Columns { key: path, cause })).await?;
        let rows = input.original_at.len() as u64;
        if rows != file.rows {
            let why = format!("{} has {rows} rows where the log says {}", file.path, file.rows);
            return Err(LakeError::Corrupt(why).into());
        }
        Ok(input)
    }

    /// Computes the rows of a span of time.
    async fn span(
        &self,
        input: &Arc<TimedFile>,
        path: &str,
        span: RangeInclusive<i64>,
        rules: &Arc<Rules>,
        pass: Pass,
        work: &mut Gathered,
    ) -> Result<Recomputed, ReplayError> {
        let (file, path) = (Arc::clone(input), path.to_owned());
        let read = move || rows_of(&file, &span).map_err(|cause| ReplayError::Columns { key: path, cause });
        let rows = on_a_thread(read).await?;
        let wanted = rows.iter().filter(|row| rules.request.wants(&row.event) && !rules.erased.erases(&row.event));
        let copies = self.copies(wanted).await?;
        let (report, by) = (std::mem::take(&mut work.report), Arc::clone(rules));
        let mut done = on_a_thread(move || recompute(rows, copies, &by, report, pass == Pass::Write)).await?;
        work.report = std::mem::take(&mut done.report);
        work.happened_on.append(&mut done.happened_on);
        for (place, rows) in &done.erased {
            *work.erased.entry(place.clone()).or_default() += rows;
        }
        Ok(done)
    }

    /// Writes the day's parts of a file: as one, where memory holds them twice.
    async fn take(&self, mut parts: Vec<LakePart>, work: &mut Gathered) -> Result<(), ReplayError> {
        let bytes: u64 = parts.iter().map(|part| part.bytes.len() as u64).sum();
        if parts.len() > 1 && 2 * bytes <= self.memory {
            parts = vec![joined(parts).await?];
        }
        for part in parts {
            work.added.push(self.write(part).await?);
        }
        Ok(())
    }
}

/// Spans of time within the day that hold about `most` rows each; none where the file has no row of the day.
fn spans(input: &TimedFile, rules: &Rules, most: usize) -> Vec<RangeInclusive<i64>> {
    let mut times: Vec<i64> = input.original_at.iter().copied().filter(|time| rules.holds(*time)).collect();
    times.sort_unstable();
    let mut begins: Vec<i64> = times.iter().step_by(most).copied().collect();
    // The same moment is never in two spans.
    begins.dedup();
    let ends = begins.iter().skip(1).map(|next| next - 1).chain([rules.moments.1 - 1]);
    begins.iter().zip(ends).map(|(begin, end)| *begin..=end).collect()
}

/// The rows of a span, in the file's order.
fn rows_of(input: &TimedFile, span: &RangeInclusive<i64>) -> Result<Vec<PlacedEvent>, ColumnsError> {
    let mut rows = Vec::new();
    for batch in input.rows(|time| span.contains(&time))? {
        rows.extend(placed_events(&batch?)?);
    }
    Ok(rows)
}

/// The rows of other days.
async fn rest(input: &Arc<TimedFile>, rules: &Arc<Rules>) -> Result<Option<LakePart>, ReplayError> {
    if input.original_at.iter().all(|time| rules.holds(*time)) {
        return Ok(None);
    }
    let (file, by) = (Arc::clone(input), Arc::clone(rules));
    on_a_thread(move || Ok(Some(write_lake_part(std::slice::from_ref(file.as_ref()), |time| !by.holds(time))?))).await
}

/// Holds the events of what was computed against those of the file.
fn check<'a>(input: &TimedFile, path: &str, parts: impl Iterator<Item = &'a LakePart>, gone: Vec<Identity>) -> Result<(), ReplayError> {
    let columns = |cause| ReplayError::Columns { key: path.to_owned(), cause };
    let (mut before, mut after) = (Vec::with_capacity(input.original_at.len()), gone);
    identities::add(&mut before, input.bytes.clone()).map_err(columns)?;
    for part in parts {
        identities::add(&mut after, part.bytes.clone()).map_err(columns)?;
    }
    let Some(difference) = identities::difference(before, after) else { return Ok(()) };
    let (event, what) = match difference {
        Difference::Lost(event) => (event, "would be lost"),
        Difference::New(event) => (event, "would come in twice or from nowhere"),
    };
    Err(ReplayError::Identities { path: path.to_owned(), event, what })
}
