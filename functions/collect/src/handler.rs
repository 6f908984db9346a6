//! The work: a request in, each event's fate out, nothing answered before it is durable.

use std::{net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use clickstream_event::{Arrival, Event, Micros, Outcome, Rejection, Site, Sites, Source, admit, parse_body, reject_undecodable};
use clickstream_log::{EVENTS, REJECTED, Record, SharedLog};
use clickstream_telemetry::{LiveFeed, metric};
use http::{Method, Request, Response, header};

use crate::{
    Limits,
    answer::{Fate, answer},
    body, cors,
    error::CollectError,
    route::{Route, route},
    sender,
};

/// Takes events over HTTP.
pub struct Collector {
    log: SharedLog,
    sites: Sites,
    limits: Limits,
    feed: LiveFeed,
}

/// What a request's events became.
#[derive(Default)]
struct Sorted {
    fates: Vec<Fate>,
    events: Vec<Event>,
    rejections: Vec<Rejection>,
}

impl Collector {
    /// A collector that writes to `log`.
    pub fn new(log: SharedLog, sites: Sites, limits: Limits) -> Self {
        Self { log, sites, limits, feed: LiveFeed::default() }
    }

    /// Shows what is taken on `feed`, too.
    #[must_use]
    pub fn with_feed(mut self, feed: LiveFeed) -> Self {
        self.feed = feed;
        self
    }

    /// Answers one request. 2xx names each event's fate; then accepted and rejected events alike are durable.
    pub async fn handle(&self, request: Request<Bytes>, peer: Option<IpAddr>) -> Response<Bytes> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let mut response = if head.method == Method::OPTIONS {
            cors::preflight(&head.headers)
        } else {
            match self.collect(&head, body, peer).await {
                Ok(response) => response,
                Err(error) => {
                    if let CollectError::Unavailable(cause) = &error {
                        tracing::error!(error = %cause, "the log takes nothing; answered 503");
                    }
                    error.response()
                }
            }
        };
        cors::allow_origin(&head.headers, &mut response);
        let status = response.status().as_str().to_owned();
        metrics::counter!(metric::REQUESTS, "function" => "collect", "status" => status).increment(1);
        metrics::histogram!(metric::REQUEST_SECONDS, "function" => "collect").record(began.elapsed().as_secs_f64());
        response
    }

    async fn collect(&self, head: &http::request::Parts, body: Bytes, peer: Option<IpAddr>) -> Result<Response<Bytes>, CollectError> {
        let route = route(head.uri.path()).ok_or_else(|| CollectError::NotFound(head.uri.path().to_owned()))?;
        if head.method != Method::POST {
            return Err(CollectError::Method(head.method.to_string()));
        }
        let query: Vec<(String, String)> = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let parameter = |name: &str| query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
        let body = body::plain(&head.headers, parameter("compression"), body, &self.limits)?;
        let body = parse_body(&body, route.shape, route.implied, self.limits.max_events)?;
        let first_key = || body.events.iter().find_map(|e| e.as_ref().ok()?.fields.get("writeKey")?.as_str());
        let body_key = body.write_key.as_deref().or_else(first_key);
        let site = sender::site(&self.sites, &head.headers, parameter("writeKey"), body_key)?;
        if !cors::may_send(&head.headers, &site) {
            let origin = head.headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).unwrap_or("?");
            return Err(CollectError::Origin(origin.to_owned()));
        }
        let (ip, country) = sender::visitor(&head.headers, peer, &self.limits);
        let arrival = Arrival {
            received_at: Micros::now(),
            source: Source::Http,
            ip,
            user_agent: head.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()),
            country: country.as_deref(),
            sent_at: body.sent_at.as_deref(),
        };
        let sorted = sort(&body.events, route, &site, &arrival);
        self.keep(&sorted).await?;
        Ok(answer(&sorted.fates))
    }

    /// Events and rejections into the log; then whoever watches sees them.
    async fn keep(&self, sorted: &Sorted) -> Result<(), CollectError> {
        let events = sorted.events.iter().map(event_record).collect::<Vec<_>>();
        let rejections = sorted.rejections.iter().map(rejection_record).collect::<Vec<_>>();
        let (kept, refused) = tokio::join!(append(&self.log, EVENTS, events), append(&self.log, REJECTED, rejections));
        kept.and(refused).map_err(CollectError::Unavailable)?;
        sorted.events.iter().for_each(|event| self.feed.show(event));
        sorted.rejections.iter().for_each(|rejection| self.feed.show(rejection));
        Ok(())
    }
}

async fn append(log: &SharedLog, topic: &str, records: Vec<Record>) -> Result<(), clickstream_log::LogError> {
    if records.is_empty() { Ok(()) } else { log.append(topic, records).await.map(|_| ()) }
}

fn event_record(event: &Event) -> Record {
    let value = serde_json::to_vec(event).unwrap_or_default();
    Record { key: Some(event.record_key().into()), value: value.into(), headers: Vec::new() }
}

fn rejection_record(rejection: &Rejection) -> Record {
    Record { key: None, value: serde_json::to_vec(rejection).unwrap_or_default().into(), headers: Vec::new() }
}

/// Judges every event of a body.
fn sort(events: &[Result<clickstream_event::RawEvent, String>], route: Route, site: &Arc<Site>, arrival: &Arrival<'_>) -> Sorted {
    let mut sorted = Sorted { fates: Vec::with_capacity(events.len()), ..Sorted::default() };
    let mut counts = [0_u64; 3];
    for element in events {
        let outcome = match element {
            Ok(raw) => admit(raw, site, arrival),
            Err(text) => {
                let why = "wanted a JSON object per event";
                Outcome::Rejected(Box::new(reject_undecodable(text, route.shape, Some(&site.site_id), arrival, why)))
            }
        };
        let message_id = element.as_ref().ok().and_then(message_id);
        match outcome {
            Outcome::Accepted(event, reasons) => {
                counts[event.verdict as usize] += 1;
                sorted.fates.push(Fate { message_id, event_id: Some(event.event_id), result: Fate::of(event.verdict), reasons });
                sorted.events.push(*event);
            }
            Outcome::Rejected(rejection) => {
                counts[2] += 1;
                sorted.fates.push(Fate { message_id, event_id: rejection.event_id, result: "rejected", reasons: rejection.reasons.clone() });
                sorted.rejections.push(*rejection);
            }
        }
    }
    for (verdict, count) in ["valid", "suspicious", "rejected"].into_iter().zip(counts) {
        if count > 0 {
            metrics::counter!(metric::EVENTS, "source" => "http", "verdict" => verdict).increment(count);
        }
    }
    sorted
}

/// The client's own id in whichever spelling.
fn message_id(raw: &clickstream_event::RawEvent) -> Option<String> {
    match ["messageId", "event_id", "id"].into_iter().find_map(|name| raw.fields.get(name))? {
        serde_json::Value::String(text) => Some(text.chars().take(500).collect()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
