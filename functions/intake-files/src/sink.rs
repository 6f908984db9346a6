//! Records judged in a thread of their own, and handed on in batches.

use clickstream_event::{Arrival, Event, Outcome, Rejection, Shape, Site, Verdict, admit, reject_undecodable};
use clickstream_log::{Record as LogRecord, event_record, rejection_record};
use tokio::sync::mpsc::Sender;

use crate::{
    read::{Record, Unreadable},
    receipt::RejectedLine,
};

/// Records of a batch.
const BATCH: usize = 500;
/// Bytes of a batch, about: a batch of large records is cut sooner.
const BATCH_BYTES: usize = 4 << 20;

/// Some records, judged.
#[derive(Default)]
pub struct Judged {
    /// For topic `events`.
    pub events: Vec<LogRecord>,
    /// For topic `rejected`.
    pub rejections: Vec<LogRecord>,
    /// Kept without a remark.
    pub accepted: u64,
    /// Kept with warnings.
    pub suspicious: u64,
    /// Not kept.
    pub rejected: Vec<RejectedLine>,
    bytes: usize,
}

impl Judged {
    fn len(&self) -> usize {
        self.events.len() + self.rejections.len()
    }

    fn is_full(&self) -> bool {
        self.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

/// Judges records of one site.
pub struct Judge<'a> {
    /// The site.
    pub site: &'a Site,
    /// How they came.
    pub arrival: Arrival<'a>,
    /// Takes the batches, and an error that ends them.
    pub out: Sender<Result<Judged, serde_json::Error>>,
    /// The batch so far.
    pub batch: Judged,
}

impl Judge<'_> {
    /// Takes a record; false if nobody takes batches any more.
    pub fn take(&mut self, record: Record) -> bool {
        let outcome = match &record.event {
            Ok(raw) => admit(raw, self.site, &self.arrival),
            Err(Unreadable { text, why }) => Outcome::Rejected(Box::new(self.undecodable(text, why))),
        };
        let taken = match outcome {
            Outcome::Accepted(event, _) => self.keep(&event),
            Outcome::Rejected(rejection) => self.refuse(record.line, &rejection),
        };
        if let Err(error) = taken {
            return self.out.blocking_send(Err(error)).is_ok_and(|()| false);
        }
        if self.batch.is_full() { self.hand_on() } else { true }
    }

    fn undecodable(&self, text: &str, why: &str) -> Rejection {
        let mut rejection = reject_undecodable(text, Shape::Canonical, Some(&self.site.site_id), &self.arrival, why);
        if !self.site.keeps_originals() {
            rejection.original.clear();
        }
        rejection
    }

    /// Hands the last batch on.
    pub fn hand_on(&mut self) -> bool {
        self.batch.len() == 0 || self.out.blocking_send(Ok(std::mem::take(&mut self.batch))).is_ok()
    }

    fn keep(&mut self, event: &Event) -> Result<(), serde_json::Error> {
        match event.verdict {
            Verdict::Valid => self.batch.accepted += 1,
            Verdict::Suspicious => self.batch.suspicious += 1,
        }
        let record = event_record(event)?;
        self.batch.bytes += record.value.len();
        self.batch.events.push(record);
        Ok(())
    }

    fn refuse(&mut self, line: u64, rejection: &Rejection) -> Result<(), serde_json::Error> {
        let record = rejection_record(rejection)?;
        self.batch.bytes += record.value.len();
        self.batch.rejections.push(record);
        self.batch.rejected.push(RejectedLine { line, event_id: rejection.event_id, reasons: rejection.reasons.clone() });
        Ok(())
    }
}
