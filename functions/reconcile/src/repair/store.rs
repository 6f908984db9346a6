//! The event store, where it lacks what it was given: some records of each partition are looked for, and where one is
//! missing, the log is played again from the last that is there to the next that is.

use clickstream_erasure::Erased;
use clickstream_event::{Event, Logged, Rejection};
use clickstream_log::{EVENTS, LoggedRecord, REJECTED};
use clickstream_store::LoggedRejection;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::repair;
use crate::{Reconcile, ReconcileError, Repair, ledger::Known};

/// Records read and put at a time.
const RECORDS: usize = 2_000;
/// Bytes of them, about.
const BYTES: usize = 8 << 20;

impl Reconcile {
    /// Looks and plays. Putting an event that is there changes nothing.
    pub(crate) async fn replay_into_store(&self, known: &Known, dry_run: bool) -> Result<Vec<Repair>, ReconcileError> {
        let erased = self.sources.tombstones.fresh().await?;
        let mut repairs = Vec::new();
        for extent in &known.events {
            let Some(stored) = known.stored_to(extent.partition).filter(|stored| *stored > extent.start) else { continue };
            for (from, to) in self.behind(extent.partition, extent.start, stored, &erased).await? {
                let count = if dry_run { to - from } else { self.play(extent.partition, from, to).await? };
                let what = format!("{EVENTS} partition {} offsets {from}-{to}", extent.partition);
                repairs.push(repair("store_replayed", what, count, dry_run));
            }
        }
        if !repairs.is_empty() {
            // Rejections carry no id that can be looked for: what the log holds of them is put as a whole.
            for extent in &known.rejected {
                let count = if dry_run {
                    extent.end - extent.start
                } else {
                    self.play_rejections(extent.partition, extent.start, extent.end).await?
                };
                if count > 0 {
                    repairs.push(repair("store_replayed", format!("{REJECTED} partition {}", extent.partition), count, dry_run));
                }
            }
        }
        Ok(repairs)
    }

    /// Ranges around samples that the store lacks.
    async fn behind(&self, partition: u32, start: u64, stored: u64, erased: &Erased) -> Result<Vec<(u64, u64)>, ReconcileError> {
        let samples = samples(start, stored, self.settings.samples);
        let mut found = Vec::with_capacity(samples.len());
        for offset in &samples {
            found.push(self.is_stored(partition, *offset, erased).await?);
        }
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (index, _) in found.iter().enumerate().filter(|(_, found)| !**found) {
            let from = if index == 0 { start } else { samples[index - 1] };
            let to = samples.get(index + 1).map_or(stored, |next| next + 1);
            match ranges.last_mut() {
                Some(last) if from <= last.1 => last.1 = to,
                _ => ranges.push((from, to)),
            }
        }
        Ok(ranges)
    }

    /// True if the store has the event at this offset, or need not have it.
    async fn is_stored(&self, partition: u32, offset: u64, erased: &Erased) -> Result<bool, ReconcileError> {
        let read = self.sources.log.read(EVENTS, partition, offset, 1, 1).await?;
        let Some(record) = read.first().filter(|record| record.offset == offset) else { return Ok(true) };
        let Ok(event) = serde_json::from_slice::<Event>(&record.record.value) else { return Ok(true) };
        if erased.erases(&event) {
            return Ok(true);
        }
        Ok(self.sources.store.find(Some(&event.site_id), event.event_id).await?.is_some())
    }

    /// Puts what the log holds of `[from, to)`; says how many events. Whose are erased is asked for each part of it: an
    /// erasure that begins meanwhile goes through the event store soon, and only once more.
    async fn play(&self, partition: u32, from: u64, to: u64) -> Result<u64, ReconcileError> {
        let (mut next, mut count) = (from, 0);
        while let Some(read) = self.read(EVENTS, partition, next, to).await? {
            let erased = self.sources.tombstones.fresh().await?;
            next = read.last().map_or(to, |record| record.offset + 1);
            let events: Vec<Logged> = decoded::<Event>(&read)
                .filter(|(_, event)| !erased.erases(event))
                .map(|(log_offset, event)| Logged { log_partition: partition, log_offset, event })
                .collect();
            self.sources.store.put_events(&events).await?;
            count += events.len() as u64;
        }
        Ok(count)
    }

    async fn play_rejections(&self, partition: u32, from: u64, to: u64) -> Result<u64, ReconcileError> {
        let (mut next, mut count) = (from, 0);
        while let Some(read) = self.read(REJECTED, partition, next, to).await? {
            let erased = self.sources.tombstones.fresh().await?;
            next = read.last().map_or(to, |record| record.offset + 1);
            let rejections: Vec<LoggedRejection> = decoded::<Rejection>(&read)
                .filter(|(_, rejection)| !erased.erases_rejection(rejection))
                .map(|(log_offset, rejection)| LoggedRejection { log_partition: partition, log_offset, rejection })
                .collect();
            self.sources.store.put_rejections(&rejections).await?;
            count += rejections.len() as u64;
        }
        Ok(count)
    }

    /// The next records below `to`; none where there are no more.
    async fn read(&self, topic: &str, partition: u32, next: u64, to: u64) -> Result<Option<Vec<LoggedRecord>>, ReconcileError> {
        if next >= to {
            return Ok(None);
        }
        let mut read = self.sources.log.read(topic, partition, next, RECORDS, BYTES).await?;
        read.retain(|record| record.offset < to);
        Ok((!read.is_empty()).then_some(read))
    }
}

fn decoded<T: DeserializeOwned>(read: &[LoggedRecord]) -> impl Iterator<Item = (u64, T)> {
    read.iter().filter_map(|logged| Some((logged.offset, serde_json::from_slice(&logged.record.value).ok()?)))
}

/// The first, the last, and one at random of each of `count` stretches between them: what is missing is found at some
/// run, however short it is.
fn samples(start: u64, end: u64, count: u64) -> Vec<u64> {
    let (length, count) = (end - start, count.max(1));
    let mut samples = vec![start, end - 1];
    for stretch in 0..count {
        let (low, high) = (start + length * stretch / count, start + length * (stretch + 1) / count);
        if low < high {
            samples.push(low + Uuid::new_v4().as_u64_pair().1 % (high - low));
        }
    }
    samples.sort_unstable();
    samples.dedup();
    samples
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn samples_lie_within_and_in_every_stretch() {
        assert_eq!(samples(7, 8, 16), [7]);
        let many = samples(1_000, 2_000, 10);
        assert!(many.first() == Some(&1_000) && many.last() == Some(&1_999));
        for stretch in 0..10 {
            assert!(many.iter().any(|offset| offset / 100 == 10 + stretch), "{many:?}");
        }
    }
}
