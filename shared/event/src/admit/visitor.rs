//! What is kept of a visitor where a site is cookieless, or drops addresses.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{
    Arrival,
    draft::Draft,
    read::{ADDRESS, NAME, Remarks},
};
use crate::{Micros, RawEvent, Shape, Site};

/// Names under which clients send what they store to be known again, besides the fields of an event: Segment's `alias`
/// names an anonymous id.
pub const STORED: [&str; 1] = ["previousId"];

/// Fields that tell a visitor, in every shape.
const TELLING: [&str; 7] = ["anonymousId", "anonymous_id", "sessionId", "session_id", "userAgent", "user_agent", "previousId"];

/// The id of the visitor on the day of `moment`, of what the request or the event shows: address and user agent. None
/// where it shows neither.
pub fn id(draft: &Draft<'_>, site: &Site, arrival: &Arrival<'_>, moment: Micros) -> Option<String> {
    let mut unread = Remarks::default();
    let ip = unread.text(draft.ip, NAME).and_then(|text| text.parse::<IpAddr>().ok()).or(arrival.ip);
    let declared = unread.text(draft.user_agent, ADDRESS);
    let agent = declared.as_deref().or(arrival.user_agent);
    (ip.is_some() || agent.is_some()).then(|| site.visitor_secret.visitor_id(moment, &site.site_id, ip, agent))
}

/// A rejected event as it may be kept: as sent, but for what the site promises to keep of nobody. The id of the visitor
/// stands in place of the client's, so that a replay gives the event the same one.
pub fn kept(raw: &RawEvent, draft: &Draft<'_>, site: &Site, arrival: &Arrival<'_>) -> RawEvent {
    let mut fields = raw.fields.clone();
    fields.remove("ip");
    in_object(&mut fields, "context", |context| drop(context.remove("ip")));
    if site.cookieless {
        clean(&mut fields);
        if let Some(id) = id(draft, site, arrival, arrival.received_at) {
            let name = if raw.shape == Shape::Canonical { "anonymous_id" } else { "anonymousId" };
            fields.insert(name.to_owned(), Value::String(id));
        }
    }
    if let (Shape::Segment, Some(sent_at)) = (raw.shape, arrival.sent_at) {
        fields.entry("sentAt").or_insert_with(|| sent_at.into());
    }
    RawEvent { shape: raw.shape, fields, text: None }
}

fn clean(fields: &mut Map<String, Value>) {
    let remove = |fields: &mut Map<String, Value>| TELLING.iter().for_each(|name| drop(fields.remove(*name)));
    remove(fields);
    in_object(fields, "properties", remove);
    in_object(fields, "context", |context| {
        remove(context);
        context.remove("userAgentData");
        in_object(context, "device", |device| device.retain(|name, _| name == "type"));
    });
}

fn in_object(fields: &mut Map<String, Value>, name: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(object) = fields.get_mut(name).and_then(Value::as_object_mut) {
        change(object);
    }
}
