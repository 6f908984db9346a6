//! The work: a batch of topic `inbound` through the same validation as HTTP.

use clickstream_event::{
    Arrival, Event, Micros, Outcome, Rejection, Shape, Sites, Source, admit, named_site, parse_record, reject_undecodable,
};
use clickstream_log::{Batch, EVENTS, LoggedRecord, REJECTED, Record, SharedLog};
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
        let json = |key: Option<String>, value: Vec<u8>| Record { key: key.map(Into::into), value: value.into(), headers: Vec::new() };
        let kept = events.iter().map(|e| json(Some(e.record_key()), serde_json::to_vec(e).unwrap_or_default())).collect::<Vec<_>>();
        let refused = rejections.iter().map(|r| json(None, serde_json::to_vec(r).unwrap_or_default())).collect::<Vec<_>>();
        if !kept.is_empty() {
            self.log.append(EVENTS, kept).await?;
        }
        if !refused.is_empty() {
            self.log.append(REJECTED, refused).await?;
        }
        events.iter().for_each(|e| self.feed.show(e));
        rejections.iter().for_each(|r| self.feed.show(r));
        metrics::counter!(metric::EVENTS, "source" => "topic", "verdict" => "rejected").increment(rejections.len() as u64);
        for verdict in [clickstream_event::Verdict::Valid, clickstream_event::Verdict::Suspicious] {
            let count = events.iter().filter(|e| e.verdict == verdict).count() as u64;
            metrics::counter!(metric::EVENTS, "source" => "topic", "verdict" => verdict.as_str()).increment(count);
        }
        Ok(())
    }

    fn judge(&self, record: &LoggedRecord) -> Outcome {
        // The moment of the append: a batch that comes again is received when it was before.
        let received_at = if record.appended_at > 0 { Micros(record.appended_at) } else { Micros::now() };
        let arrival = Arrival { received_at, source: Source::Topic, ip: None, user_agent: None, country: None, sent_at: None };
        let value = &record.record.value;
        let text = || String::from_utf8_lossy(value).into_owned();
        let reject =
            |site: Option<&str>, why: &str| Outcome::Rejected(Box::new(reject_undecodable(&text(), Shape::Canonical, site, &arrival, why)));
        if value.len() > clickstream_event::MAX_EVENT_BYTES {
            return reject(None, "");
        }
        let raw = match parse_record(value, Shape::Canonical) {
            Ok(raw) => raw,
            Err(error) => return reject(None, &error.to_string()),
        };
        let header = record.record.headers.iter().find(|(name, _)| name == SITE_HEADER).and_then(|(_, v)| std::str::from_utf8(v).ok());
        let named = named_site(&raw).or(header);
        match named.map(|name| (name, self.sites.by_id(name))) {
            Some((_, Some(site))) => admit(&raw, &site, &arrival),
            Some((name, None)) => site_missing(&text(), raw.shape, Some(name), &arrival, &format!("there is no site {name:?}")),
            None => site_missing(&text(), raw.shape, None, &arrival, "name the site in the field site_id or in the record's header site"),
        }
    }
}

fn site_missing(original: &str, shape: Shape, site: Option<&str>, arrival: &Arrival<'_>, message: &str) -> Outcome {
    let mut rejection = reject_undecodable(original, shape, site, arrival, message);
    rejection.reasons = vec![clickstream_event::Reason::new(clickstream_event::ReasonCode::SiteMissing, "site_id", message)];
    Outcome::Rejected(Box::new(rejection))
}
