//! The work: a batch of topic `inbound` through the same validation as HTTP.

use clickstream_event::{
    Arrival, Event, MAX_EVENT_BYTES, Micros, Outcome, Reason, ReasonCode, Rejection, Shape, Sites, Source, Verdict, admit, named_site,
    parse_record, reject_undecodable,
};
use clickstream_log::{Batch, EVENTS, LoggedRecord, REJECTED, Record, SharedLog, event_record, rejection_record};
use clickstream_telemetry::{LiveFeed, metric};

use crate::IntakeError;

/// Header of a record that names its site, where the event does not.
const SITE_HEADER: &str = "site";

/// Takes events from a topic.
pub struct IntakeTopic {
    log: SharedLog,
    sites: Sites,
    feed: LiveFeed,
}

impl IntakeTopic {
    /// Takes events of `sites` into `log`.
    pub fn new(log: SharedLog, sites: Sites) -> Self {
        Self { log, sites, feed: LiveFeed::default() }
    }

    /// Shows what is taken on `feed`, too.
    #[must_use]
    pub fn with_feed(mut self, feed: LiveFeed) -> Self {
        self.feed = feed;
        self
    }

    /// Takes a batch. A batch that comes again gives the same ids, which count once downstream.
    pub async fn handle(&self, batch: &Batch) -> Result<(), IntakeError> {
        let mut events: Vec<Event> = Vec::new();
        let mut rejections: Vec<Rejection> = Vec::new();
        for record in &batch.records {
            match self.judge(record) {
                Outcome::Accepted(event, _) => events.push(*event),
                Outcome::Rejected(rejection) => rejections.push(*rejection),
            }
        }
        self.append(EVENTS, events.iter().map(event_record).collect::<Result<_, _>>()?).await?;
        self.append(REJECTED, rejections.iter().map(rejection_record).collect::<Result<_, _>>()?).await?;
        events.iter().for_each(|e| self.feed.show(e));
        rejections.iter().for_each(|r| self.feed.show(r));
        count(&events, &rejections);
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<(), IntakeError> {
        if !records.is_empty() {
            self.log.append(topic, records).await?;
        }
        Ok(())
    }

    fn judge(&self, record: &LoggedRecord) -> Outcome {
        // The moment of the append: a batch that comes again is received when it was before.
        let received_at = if record.appended_at > 0 { Micros(record.appended_at) } else { Micros::now() };
        let arrival = Arrival { received_at, source: Source::Topic, ip: None, user_agent: None, country: None, sent_at: None };
        let value = &record.record.value;
        let header = record.record.headers.iter().find(|(name, _)| name == SITE_HEADER).and_then(|(_, v)| std::str::from_utf8(v).ok());
        let undecodable = |why: &str| {
            let text = String::from_utf8_lossy(value);
            Outcome::Rejected(Box::new(reject_undecodable(&text, Shape::Canonical, header, &arrival, why)))
        };
        if value.len() > MAX_EVENT_BYTES {
            return undecodable("");
        }
        let raw = match parse_record(value, Shape::Canonical) {
            Ok(raw) => raw,
            Err(error) => return undecodable(&error.to_string()),
        };
        let Some(name) = named_site(&raw).or(header) else {
            let message = "name the site in the field site_id or in the record's header site";
            return site_missing(&raw.original(), raw.shape, None, &arrival, message.to_owned());
        };
        match self.sites.by_id(name) {
            Some(site) => admit(&raw, &site, &arrival),
            None => site_missing(
                &raw.original(),
                raw.shape,
                Some(name),
                &arrival,
                format!("there is no site {name:?}: name one of the service's sites"),
            ),
        }
    }
}

fn site_missing(original: &str, shape: Shape, site: Option<&str>, arrival: &Arrival<'_>, message: String) -> Outcome {
    let mut rejection = reject_undecodable(original, shape, site, arrival, "");
    rejection.reasons = vec![Reason::new(ReasonCode::SiteMissing, "site_id", message)];
    Outcome::Rejected(Box::new(rejection))
}

fn count(events: &[Event], rejections: &[Rejection]) {
    let suspicious = events.iter().filter(|e| e.verdict == Verdict::Suspicious).count();
    for (verdict, count) in [("valid", events.len() - suspicious), ("suspicious", suspicious), ("rejected", rejections.len())] {
        if count > 0 {
            metrics::counter!(metric::EVENTS, "source" => "topic", "verdict" => verdict).increment(count as u64);
        }
    }
}
