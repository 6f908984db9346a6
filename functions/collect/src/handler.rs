//! The work: a request in, each event's fate out, nothing answered before it is durable.

use std::{net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use clickstream_event::{Arrival, Body, Micros, Shape, Site, Sites, Source, parse_body};
use clickstream_log::{EVENTS, REJECTED, SharedLog, event_record, rejection_record};
use clickstream_objects::SharedObjects;
use clickstream_spill::{Kept, Parcel, SpillingLog};
use clickstream_telemetry::{LiveFeed, metric};
use http::{Method, Request, Response, header, request::Parts};
use percent_encoding::percent_decode_str;

use crate::{
    Limits,
    answer::answer,
    body, cors,
    error::CollectError,
    judge::{Judged, judge},
    measurements, pixel,
    quota::Quotas,
    route::{Events, Route, route},
    sender::{self, Visitor},
    settings::{self, Address},
    spilled::say_where,
};

/// Takes events over HTTP.
pub struct Collector {
    log: SpillingLog,
    sites: Sites,
    limits: Limits,
    quotas: Quotas,
    feed: LiveFeed,
}

impl Collector {
    /// A collector that writes to `log`.
    pub fn new(log: SharedLog, sites: Sites, limits: Limits) -> Self {
        Self { log: SpillingLog::new(log), sites, limits, quotas: Quotas::default(), feed: LiveFeed::default() }
    }

    /// Writes to `bucket` what the log does not take; without, such requests are answered 503.
    #[must_use]
    pub fn with_spill(mut self, bucket: SharedObjects) -> Self {
        self.log = self.log.with_bucket(bucket);
        self
    }

    /// Shows what is taken on `feed`, too.
    #[must_use]
    pub fn with_feed(mut self, feed: LiveFeed) -> Self {
        self.feed = feed;
        self
    }

    /// Waits until the log takes events after it took none.
    pub async fn log_is_back(&self) {
        self.log.is_back().await;
    }

    /// Answers one request of `peer`. 2xx names each event's fate, and then accepted and rejected events alike are
    /// durable; 4xx says what is wrong with the request and what would be right; after 429 and 503 nothing was kept and
    /// the whole request may be sent again. An image is an image with status 200 even for a request that is refused; its
    /// header says why.
    pub async fn handle(&self, request: Request<Bytes>, peer: Option<IpAddr>) -> Response<Bytes> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let response = match self.take(&head, body, peer).await {
            Ok(response) => readable(&head, response),
            Err(error @ CollectError::Origin(_)) => refusal(&head, &error),
            Err(error) => readable(&head, refusal(&head, &error)),
        };
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
        let writer = key.map(|key| self.writer(key)).transpose();
        if head.method == Method::OPTIONS {
            return cors::preflight(&head.headers, route.methods(), writer.ok().flatten().as_ref().map(|w| &*w.site));
        }
        if !route.takes(&head.method) {
            return Err(CollectError::Method(head.method.to_string(), route.methods()));
        }
        match route {
            Route::Events(events) => self.body(events, writer?, body, &query, head, peer).await,
            Route::Pixel(kind) => self.pixel(kind, writer?, &query, head, peer).await,
            Route::Settings(key) => self.settings(key, head, peer),
            Route::Measurements => measurements::count(&body::plain(&head.headers, query.compression.as_deref(), body, &self.limits)?),
        }
    }

    /// Events in a body.
    async fn body(
        &self,
        events: Events,
        writer: Option<Writer>,
        body: Bytes,
        query: &Query,
        head: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Response<Bytes>, CollectError> {
        let page = cors::page(&head.headers);
        let writer = writer.map(|writer| writer.at(page.as_deref())).transpose()?;
        let body = body::plain(&head.headers, query.compression.as_deref(), body, &self.limits)?;
        let body = parse_body(&body, events.shape, events.implied, self.limits.max_events)?;
        let writer = self.writer_of(writer, &body, page.as_deref())?;
        let judged = self.judged(body, events.shape, &writer, head, peer)?;
        let kept = self.keep(&judged).await?;
        Ok(say_where(kept, answer(&head.headers, &judged.fates)?))
    }

    /// An event in the address of an image.
    async fn pixel(
        &self,
        kind: &'static str,
        writer: Option<Writer>,
        query: &Query,
        head: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Response<Bytes>, CollectError> {
        let image = pixel::wants_image(&head.headers, query.format.as_deref());
        // To ask what would come is no event.
        if head.method == Method::HEAD {
            return Ok(pixel::answer(image, &[]));
        }
        let event = pixel::event(head.uri.query().unwrap_or_default())?;
        let body = parse_body(&event, Shape::Segment, Some(kind), self.limits.max_events)
            .map_err(|error| CollectError::Pixel(format!("in data, {error}")))?;
        let page = cors::page_of_image(&head.headers);
        let writer = writer.map(|writer| writer.at(page.as_deref())).transpose()?;
        let writer = self.writer_of(writer, &body, page.as_deref())?;
        let judged = self.judged(body, Shape::Segment, &writer, head, peer)?;
        let kept = self.keep(&judged).await?;
        Ok(say_where(kept, pixel::answer(image, &judged.fates)))
    }

    /// What analytics-next asks before it sends.
    fn settings(&self, key: &str, head: &Parts, peer: Option<IpAddr>) -> Result<Response<Bytes>, CollectError> {
        let key = percent_decode_str(key).decode_utf8().map_err(|_| CollectError::SettingsUnknown)?;
        self.sites.by_write_key(&key).ok_or(CollectError::SettingsUnknown)?;
        let address = Address::of(head, sender::is_trusted(peer, &self.limits.trusted_proxies));
        Ok(settings::answer(&key, address.as_ref()))
    }

    /// Whoever writes with `key`.
    fn writer(&self, key: String) -> Result<Writer, CollectError> {
        let site = self.sites.by_write_key(&key).ok_or(CollectError::KeyUnknown)?;
        Ok(Writer { site, key })
    }

    /// The writer by the key beside the body, else by the one in the body or in its first event that has one.
    fn writer_of(&self, beside: Option<Writer>, body: &Body, page: Option<&str>) -> Result<Writer, CollectError> {
        let in_event = || body.events.iter().find_map(|e| e.as_ref().ok().and_then(|raw| sender::key_in(&raw.fields)));
        let in_body = || {
            let key = body.write_key.as_deref().filter(|k| !k.is_empty()).or_else(in_event).ok_or(CollectError::KeyMissing)?;
            self.writer(key.to_owned())?.at(page)
        };
        beside.map_or_else(in_body, Ok)
    }

    /// Every event judged, if all of them are within the writer's quota.
    fn judged(&self, body: Body, shape: Shape, writer: &Writer, head: &Parts, peer: Option<IpAddr>) -> Result<Judged, CollectError> {
        let Visitor { ip, country } = sender::visitor(&head.headers, peer, &self.limits.trusted_proxies);
        self.quotas.check(&writer.site, &writer.key, ip, body.events.len())?;
        let arrival = Arrival {
            received_at: Micros::now(),
            source: Source::Http,
            ip,
            user_agent: head.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()),
            country: country.as_deref(),
            sent_at: body.sent_at.as_deref(),
        };
        Ok(judge(body.events, shape, &writer.site, &arrival))
    }

    /// Everything into the log, or the bucket; then whoever watches sees it.
    ///
    /// Rejections go first: if they cannot be kept, no event is, so that a request that is sent again after a 503 does
    /// not count an event twice whose id the service made.
    async fn keep(&self, judged: &Judged) -> Result<Kept, CollectError> {
        let rejections = judged.rejections.iter().map(rejection_record).collect::<Result<Vec<_>, _>>()?;
        let events = judged.events.iter().map(event_record).collect::<Result<Vec<_>, _>>()?;
        let parcels = vec![Parcel { topic: REJECTED, records: rejections }, Parcel { topic: EVENTS, records: events }];
        let kept = self.log.append(parcels).await?;
        judged.count();
        let ids = || judged.events.iter().map(|event| event.event_id).collect::<Vec<_>>();
        tracing::debug!(event_ids = ?ids(), rejected = judged.rejections.len(), "kept");
        judged.events.iter().for_each(|event| self.feed.show(event));
        judged.rejections.iter().for_each(|rejection| self.feed.show(rejection));
        Ok(kept)
    }
}

/// Who writes: a site, and the key by which it is known.
struct Writer {
    site: Arc<Site>,
    key: String,
}

impl Writer {
    /// The writer, unless it sends from a page that its site does not list.
    fn at(self, page: Option<&str>) -> Result<Self, CollectError> {
        cors::check(page, &self.site)?;
        Ok(self)
    }
}

/// What the address may say beside the path.
#[derive(Default)]
struct Query {
    write_key: Option<String>,
    compression: Option<String>,
    /// Of an image: `204` for none.
    format: Option<String>,
}

impl Query {
    fn of(head: &Parts) -> Self {
        let mut query = Self::default();
        for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "writeKey" => query.write_key = Some(value.into_owned()),
                "compression" => query.compression = Some(value.into_owned()),
                "format" => query.format = Some(value.into_owned()),
                _ => {}
            }
        }
        query
    }
}

/// The answer to a request of which nothing counts.
fn refusal(head: &Parts, error: &CollectError) -> Response<Bytes> {
    match error {
        CollectError::Unavailable(cause) => tracing::error!(error = %cause, "nothing is kept; answered 503"),
        CollectError::Encode(cause) => tracing::error!(error = %cause, "an event cannot be written as JSON; answered 500"),
        _ => {}
    }
    let is_image = head.method == Method::GET
        && matches!(route(head.uri.path()), Some(Route::Pixel(_)))
        && pixel::wants_image(&head.headers, Query::of(head).format.as_deref());
    if is_image { pixel::refusal(error) } else { error.response() }
}

/// An answer that the page behind the request may read.
fn readable(head: &Parts, mut response: Response<Bytes>) -> Response<Bytes> {
    cors::allow_origin(&head.headers, &mut response);
    response
}
