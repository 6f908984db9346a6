//! A draft judged and made into an event.

use std::net::IpAddr;

use uuid::Uuid;

use super::{
    Arrival, address,
    draft::{ActionWord, Cell, Draft},
    identity,
    machine::machine,
    moments::{Moments, moments},
    page::{UTM, scrub},
    properties::{cap, check_schema, properties},
    read::{ADDRESS, NAME, Remarks, TEXT},
    visitor,
};
use crate::{Action, Event, IpPolicy, Micros, Properties, Reason, ReasonCode, Site, Source, Verdict};

/// Why a draft is no event.
pub struct Refused {
    pub event_id: Option<Uuid>,
    pub message_id: Option<String>,
    pub reasons: Vec<Reason>,
}

/// Names every reason, not only the first.
#[expect(clippy::too_many_lines, reason = "one field after the other")]
pub fn finish(draft: Draft<'_>, site: &Site, arrival: &Arrival<'_>) -> Result<(Event, Vec<Reason>), Refused> {
    let mut wrong = Remarks::default();
    let mut remarks = Remarks::default();

    let identified = identity::event_id(draft.id, &site.site_id);
    let message_id = identified.as_ref().map(|(sent, _)| sent.clone());
    let event_id = match identified {
        Some((_, id)) => Some(id),
        None if arrival.source == Source::Http => {
            remarks.add(ReasonCode::IdAssigned, draft.id_field, "no usable id was sent; a resend of this event will count again");
            Some(Uuid::now_v7())
        }
        None => {
            wrong.add(ReasonCode::IdMissing, draft.id_field, "wanted a unique id: a text of 1 to 500 characters, best a UUID");
            None
        }
    };
    let action = match &draft.action {
        ActionWord::Known(action) => Some(*action),
        ActionWord::Unknown(field, word) => {
            let known = if *field == "type" && draft.id_field == "messageId" {
                "track, page, screen, identify, group, alias"
            } else {
                "view, click, page, identify, custom"
            };
            wrong.add(ReasonCode::ActionUnknown, field, format!("{:?} is none of {known}", word.chars().take(50).collect::<String>()));
            None
        }
    };
    let moments = moments(&draft, site, arrival, &mut wrong, &mut remarks);
    let who = who(&draft, site, arrival, moments.as_ref(), &mut wrong, &mut remarks);
    let element_id = remarks.text(draft.element_id, NAME);
    if element_id.is_none() && matches!(action, Some(Action::View | Action::Click)) {
        wrong.add(ReasonCode::ElementMissing, "element_id", "a view or a click names the element that was seen or clicked");
    }
    let name = match (remarks.text(draft.name, NAME), draft.implied_name) {
        (_, Some(implied)) => Some(implied.to_owned()),
        (name, None) => name,
    };
    // What is remarked of properties is told after what is remarked of the rest.
    let mut of_properties = Remarks::default();
    let mut properties = properties(&draft, site, &mut of_properties);
    if let Some(action) = action.filter(|_| !site.schemas.is_empty()) {
        check_schema(&mut properties, site, action, name.as_deref(), &mut wrong, &mut of_properties);
    }
    let (Some(event_id), Some(action), Some(moments), true) = (event_id, action, moments, wrong.0.is_empty()) else {
        return Err(Refused { event_id, message_id, reasons: wrong.0 });
    };

    if name.is_none() && action == Action::Custom {
        remarks.add(ReasonCode::FieldMissing, "name", "a custom event has a name");
    }
    let place = place(&draft, site, &mut remarks);
    let machine = machine(&draft, arrival, &mut remarks);
    let ip = address_kept(draft.ip, site, arrival, &mut remarks);
    remarks.0.append(&mut of_properties.0);
    if let Some(names) = &site.property_names {
        cap(&mut properties, names, &mut remarks);
    }
    let library = match (remarks.text(draft.library, NAME), remarks.text(draft.library_version, NAME)) {
        (Some(name), Some(version)) => Some(format!("{name}/{version}")),
        (name, _) => name,
    };
    let mut event = Event {
        event_id,
        site_id: site.site_id.clone(),
        action,
        name,
        original_at: moments.original_at,
        occurred_at: moments.occurred_at,
        sent_at: moments.sent_at,
        received_at: arrival.received_at,
        session_id: who.session_id,
        anonymous_id: who.anonymous_id,
        user_id: who.user_id,
        url: place.url,
        path: place.path,
        referrer: place.referrer,
        page_title: remarks.text(draft.page_title, TEXT),
        utm_source: None,
        utm_medium: None,
        utm_campaign: None,
        utm_term: None,
        utm_content: None,
        element_id,
        element_kind: remarks.text(draft.element_kind, NAME),
        element_text: remarks.text(draft.element_text, TEXT),
        element_class: remarks.text(draft.element_class, TEXT),
        x: remarks.pixels(draft.x),
        y: remarks.pixels(draft.y),
        position: remarks.pixels(draft.position),
        visible_ms: remarks.whole(draft.visible_ms, 0, Micros::DAY / 1_000),
        viewport_width: remarks.pixels(draft.viewport_width),
        viewport_height: remarks.pixels(draft.viewport_height),
        scroll_position: remarks.pixels(draft.scroll_position),
        device_type: machine.device_type,
        os: machine.os,
        browser: machine.browser,
        country: country(draft.country, arrival, &mut remarks),
        bot: !machine.bot_reasons.is_empty(),
        bot_reasons: machine.bot_reasons,
        ip: ip.map(|ip| ip.to_string()),
        user_agent: machine.user_agent.filter(|_| !site.cookieless),
        locale: remarks.text(draft.locale, NAME),
        library,
        source: arrival.source,
        verdict: Verdict::Valid,
        warnings: Vec::new(),
        properties: if properties.is_empty() { Properties::default() } else { Properties::from_map(&properties) },
    };
    [event.utm_source, event.utm_medium, event.utm_campaign, event.utm_term, event.utm_content] = place.utm;
    for remark in &remarks.0 {
        let code = remark.code.as_str();
        if !event.warnings.iter().any(|w| w == code) {
            event.warnings.push(code.to_owned());
        }
    }
    // An id or a time that the server makes is how a plain client works, nothing to suspect.
    if remarks.0.iter().any(|r| !matches!(r.code, ReasonCode::IdAssigned | ReasonCode::TimeAssigned)) {
        event.verdict = Verdict::Suspicious;
    }
    Ok((event, remarks.0))
}

struct Who {
    session_id: Option<String>,
    anonymous_id: Option<String>,
    user_id: Option<String>,
}

/// Who acted, as the event says; on a cookieless site as the request shows.
fn who(
    draft: &Draft<'_>,
    site: &Site,
    arrival: &Arrival<'_>,
    moments: Option<&Moments>,
    wrong: &mut Remarks,
    remarks: &mut Remarks,
) -> Who {
    let who = if site.cookieless {
        let anonymous_id = visitor::id(draft, site, arrival, moments.map_or(arrival.received_at, |m| m.occurred_at));
        Who { session_id: None, anonymous_id, user_id: remarks.text(draft.user_id, NAME) }
    } else {
        Who {
            session_id: remarks.text(draft.session_id, NAME),
            anonymous_id: remarks.text(draft.anonymous_id, NAME),
            user_id: remarks.text(draft.user_id, NAME),
        }
    };
    if who.session_id.is_none() && who.anonymous_id.is_none() && who.user_id.is_none() {
        let wanted = if site.cookieless {
            "this site is cookieless: wanted a user id, or the visitor's address or user agent"
        } else {
            "wanted a user id, an anonymous id or a session id"
        };
        wrong.add(ReasonCode::IdentityMissing, "anonymous_id", wanted);
    }
    who
}

struct Place {
    url: Option<String>,
    path: Option<String>,
    referrer: Option<String>,
    utm: [Option<String>; 5],
}

fn place(draft: &Draft<'_>, site: &Site, remarks: &mut Remarks) -> Place {
    let mut address = |cell: Cell<'_>| {
        let field = cell?;
        let text = remarks.text(cell, ADDRESS)?;
        let page = scrub(&text, &site.allowed_query);
        if page.is_none() {
            remarks.add(ReasonCode::FieldInvalid, field.name, "left out: wanted an address such as https://shop.example/cart");
        }
        page
    };
    let page = address(draft.url);
    let referrer = address(draft.referrer).map(|p| p.url);
    let mut place = Place { url: None, path: remarks.text(draft.path, ADDRESS), referrer, utm: Default::default() };
    let mut from_url: [Option<String>; 5] = Default::default();
    if let Some(page) = page {
        place.path = place.path.or(Some(page.path));
        place.url = Some(page.url);
        from_url = page.utm;
    }
    if let Some(path) = &mut place.path
        && let Some(end) = path.find(['?', '#'])
    {
        path.truncate(end);
    }
    for (index, (_, found)) in UTM.iter().zip(from_url).enumerate() {
        place.utm[index] = remarks.text(draft.utm[index], NAME).or(found);
    }
    place
}

/// The visitor's address as the site keeps it. What an event declares goes before the connection's; a private
/// address is remarked only where an event declares it, as a connection from one says nothing of the visitor.
fn address_kept(cell: Cell<'_>, site: &Site, arrival: &Arrival<'_>, remarks: &mut Remarks) -> Option<IpAddr> {
    let declared = match cell {
        Some(field) => match remarks.text(cell, NAME).map(|t| t.parse::<IpAddr>()) {
            Some(Ok(ip)) if address::is_private(ip) => {
                remarks.add(ReasonCode::IpPrivate, field.name, "left out: no visitor on the internet has this address");
                return None;
            }
            Some(Ok(ip)) => Some(ip),
            Some(Err(_)) => {
                remarks.add(ReasonCode::IpInvalid, field.name, "left out: wanted an IPv4 or IPv6 address");
                None
            }
            None => None,
        },
        None => None,
    };
    let ip = declared.or(arrival.ip.filter(|ip| !address::is_private(*ip)))?;
    match site.ip_policy {
        IpPolicy::Anonymize => Some(address::anonymize(ip)),
        IpPolicy::Drop => None,
    }
}

fn country(cell: Cell<'_>, arrival: &Arrival<'_>, remarks: &mut Remarks) -> Option<String> {
    let Some(field) = cell else { return arrival.country.map(str::to_ascii_uppercase) };
    let text = remarks.text(cell, NAME)?;
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Some(text.to_ascii_uppercase());
    }
    remarks.add(ReasonCode::FieldInvalid, field.name, "left out: wanted two letters such as DE (ISO 3166-1)");
    None
}
