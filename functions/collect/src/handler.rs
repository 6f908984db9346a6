//! The work: a request in, each event's fate out, nothing answered before it is durable.

use std::{net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use clickstream_event::{Arrival, Body, Micros, Site, Sites, Source, parse_body};
use clickstream_log::{EVENTS, REJECTED, Record, SharedLog, event_record, rejection_record};
use clickstream_telemetry::{LiveFeed, metric};
use http::{HeaderMap, Method, Request, Response, header, request::Parts};

use crate::{
    Limits,
    answer::answer,
    body, cors,
    error::CollectError,
    judge::{Judged, judge},
    route::{Route, route},
    sender::{self, Visitor},
};

/// Takes events over HTTP.
pub struct Collector {
    log: SharedLog,
    sites: Sites,
    limits: Limits,
    feed: LiveFeed,
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

    /// Answers one request of `peer`. 2xx names each event's fate, and then accepted and rejected events alike are
    /// durable; 4xx says what is wrong with the request and what would be right; after 503 the whole request may be
    /// sent again.
    pub async fn handle(&self, request: Request<Bytes>, peer: Option<IpAddr>) -> Response<Bytes> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let response = self.take(&head, body, peer).await.unwrap_or_else(|error| {
            match &error {
                CollectError::Unavailable(cause) => tracing::error!(error = %cause, "the log takes nothing; answered 503"),
                CollectError::Encode(cause) => tracing::error!(error = %cause, "an event cannot be written as JSON; answered 500"),
                _ => {}
            }
            let mut response = error.response();
            if !matches!(error, CollectError::Origin(_)) {
                cors::allow_origin(&head.headers, &mut response);
            }
            response
        });
        let status = response.status().as_str().to_owned();
        metrics::counter!(metric::REQUESTS, "function" => "collect", "status" => status).increment(1);
        metrics::histogram!(metric::REQUEST_SECONDS, "function" => "collect").record(began.elapsed().as_secs_f64());
        response
    }

    async fn take(&self, head: &Parts, body: Bytes, peer: Option<IpAddr>) -> Result<Response<Bytes>, CollectError> {
        let route = route(head.uri.path()).ok_or_else(|| CollectError::NotFound(head.uri.path().to_owned()))?;
        let query = Query::of(head);
        // A key beside the body is looked up first: a stranger's body is not even decompressed.
        let key = sender::outer_key(&head.headers, query.write_key.as_deref());
        let site = key.map(|k| self.sites.by_write_key(&k).ok_or(CollectError::KeyUnknown)).transpose();
        if head.method == Method::OPTIONS {
            return cors::preflight(&head.headers, site.ok().flatten().as_deref());
        }
        if head.method != Method::POST {
            return Err(CollectError::Method(head.method.to_string()));
        }
        let site = site?;
        if let Some(site) = &site {
            check_origin(&head.headers, site)?;
        }
        let body = body::plain(&head.headers, query.compression.as_deref(), body, &self.limits)?;
        let body = parse_body(&body, route.shape, route.implied, self.limits.max_events)?;
        let site = match site {
            Some(site) => site,
            None => self.site_in(&body, &head.headers)?,
        };
        let judged = self.judged(body, route, &site, head, peer);
        self.keep(&judged).await?;
        let mut response = answer(&judged.fates)?;
        cors::allow_origin(&head.headers, &mut response);
        Ok(response)
    }

    /// The site of the key that stands in the body or in its first event that has one.
    fn site_in(&self, body: &Body, headers: &HeaderMap) -> Result<Arc<Site>, CollectError> {
        let in_event = || body.events.iter().find_map(|e| e.as_ref().ok().and_then(|raw| sender::key_in(&raw.fields)));
        let key = body.write_key.as_deref().filter(|k| !k.is_empty()).or_else(in_event).ok_or(CollectError::KeyMissing)?;
        let site = self.sites.by_write_key(key).ok_or(CollectError::KeyUnknown)?;
        check_origin(headers, &site)?;
        Ok(site)
    }

    fn judged(&self, body: Body, route: Route, site: &Site, head: &Parts, peer: Option<IpAddr>) -> Judged {
        let Visitor { ip, country } = sender::visitor(&head.headers, peer, &self.limits.trusted_proxies);
        let arrival = Arrival {
            received_at: Micros::now(),
            source: Source::Http,
            ip,
            user_agent: head.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()),
            country: country.as_deref(),
            sent_at: body.sent_at.as_deref(),
        };
        judge(body.events, route.shape, site, &arrival)
    }

    /// Everything into the log; then whoever watches sees it.
    ///
    /// Rejections go first: if they cannot be kept, no event is, so that a request that is sent again after a 503 does
    /// not count an event twice whose id the service made.
    async fn keep(&self, judged: &Judged) -> Result<(), CollectError> {
        let rejections = judged.rejections.iter().map(rejection_record).collect::<Result<Vec<_>, _>>()?;
        let events = judged.events.iter().map(event_record).collect::<Result<Vec<_>, _>>()?;
        self.append(REJECTED, rejections).await?;
        self.append(EVENTS, events).await?;
        judged.count();
        judged.events.iter().for_each(|event| self.feed.show(event));
        judged.rejections.iter().for_each(|rejection| self.feed.show(rejection));
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<(), CollectError> {
        if records.is_empty() {
            return Ok(());
        }
        self.log.append(topic, records).await.map(|_| ()).map_err(CollectError::Unavailable)
    }
}

/// What the address may say beside the path.
#[derive(Default)]
struct Query {
    write_key: Option<String>,
    compression: Option<String>,
}

impl Query {
    fn of(head: &Parts) -> Self {
        let mut query = Self::default();
        for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "writeKey" => query.write_key = Some(value.into_owned()),
                "compression" => query.compression = Some(value.into_owned()),
                _ => {}
            }
        }
        query
    }
}

fn check_origin(headers: &HeaderMap, site: &Site) -> Result<(), CollectError> {
    if cors::may_send(headers, site) { Ok(()) } else { Err(CollectError::Origin(cors::origin(headers).to_owned())) }
}
