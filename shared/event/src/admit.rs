//! One event through validation and enrichment.

mod address;
mod agent;
mod canonical;
mod clicks;
mod draft;
mod finish;
mod identity;
mod machine;
mod moments;
mod page;
mod properties;
mod read;
mod rederive;
mod segment;
mod time;
mod visitor;

use std::net::IpAddr;

use draft::Draft;

use crate::{Event, Micros, RawEvent, Reason, ReasonCode, Rejection, Shape, Site, Source};

pub use rederive::{AgentSays, rederive};
pub use time::parse_time;

/// What is known of an event's way in, besides its own fields.
#[derive(Clone, Debug)]
pub struct Arrival<'a> {
    /// When the service took it.
    pub received_at: Micros,
    /// The way it came in.
    pub source: Source,
    /// The sender's address (HTTP); a file or topic event brings its own.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header (HTTP), used where the event names none and a browser sent it.
    pub user_agent: Option<&'a str>,
    /// The country that a trusted proxy or a database names.
    pub country: Option<&'a str>,
    /// `sentAt` of the batch, where the event has none.
    pub sent_at: Option<&'a str>,
}

/// An event's fate.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Kept; the reasons are warnings (empty when valid).
    Accepted(Box<Event>, Vec<Reason>),
    /// Not kept as an event, but kept as a rejection.
    Rejected(Box<Rejection>),
}

/// Validates and enriches one event of `site`.
pub fn admit(raw: &RawEvent, site: &Site, arrival: &Arrival<'_>) -> Outcome {
    match finish::finish(draft(raw), site, arrival) {
        Ok((event, warnings)) => Outcome::Accepted(Box::new(event), warnings),
        Err(refused) => Outcome::Rejected(Box::new(Rejection {
            site_id: Some(site.site_id.clone()),
            event_id: refused.event_id,
            message_id: refused.message_id,
            received_at: arrival.received_at,
            source: arrival.source,
            shape: raw.shape,
            reasons: refused.reasons,
            original: if site.keeps_originals() { raw.original() } else { visitor::kept(raw, &draft(raw), site, arrival).original() },
        })),
    }
}

fn draft(raw: &RawEvent) -> Draft<'_> {
    match raw.shape {
        Shape::Segment => segment::draft(&raw.fields),
        Shape::Canonical => canonical::draft(&raw.fields),
        Shape::Clicks => clicks::draft(&raw.fields),
    }
}

/// The site that a record of a topic or file names itself, if any.
pub fn named_site(raw: &RawEvent) -> Option<&str> {
    ["site_id", "siteId", "site"].into_iter().find_map(|name| raw.fields.get(name)?.as_str())
}

/// A rejection of something that is no event at all: no object, cut, over 32 KB, or nested too deep. Where a site does not
/// keep originals ([`Site::keeps_originals`]), whoever calls clears the text: nothing tells what it holds.
pub fn reject_undecodable(original: &str, shape: Shape, site: Option<&str>, arrival: &Arrival<'_>, why: &str) -> Rejection {
    let reason = if original.len() > crate::MAX_EVENT_BYTES {
        let message = format!("the event takes {} bytes; at most {} are taken", original.len(), crate::MAX_EVENT_BYTES);
        Reason { code: ReasonCode::TooLarge, field: None, message }
    } else if crate::raw::is_too_deep(original) {
        let message = format!("the event is nested deeper than {}", crate::MAX_DEPTH);
        Reason { code: ReasonCode::TooDeep, field: None, message }
    } else {
        Reason { code: ReasonCode::Malformed, field: None, message: why.to_owned() }
    };
    Rejection {
        site_id: site.map(str::to_owned),
        event_id: None,
        message_id: None,
        received_at: arrival.received_at,
        source: arrival.source,
        shape,
        reasons: vec![reason],
        original: original.to_owned(),
    }
}
