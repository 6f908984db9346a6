//! What the rules of this version make of an event that an earlier version admitted.
//!
//! An event says what came of it, not what its sender declared and what was derived. So what a sender may have declared
//! stands, unless the user agent is asked to go before it; everything else is derived again from what is kept. Of events
//! that this version admits, for the same site, nothing changes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    address,
    agent::{self, Agent},
    page::{self, Page},
    visitor,
};
use crate::{DeviceType, Event, IpPolicy, Properties, ReasonCode, Site, Verdict};

/// Why an event is a machine's where its sender said so.
pub const DECLARED: &str = "declared";

/// How far what a user agent tells goes where an event has another device, system or browser, which its sender may have
/// declared or an earlier version may have derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentSays {
    /// It fills in what is missing, and what no sender can have declared.
    #[default]
    Fills,
    /// It goes before what stands, declared or not.
    Rules,
}

/// The event as this version would keep it.
///
/// Derived again: `bot` and its reasons, what is missing of device, system and browser, addresses of pages and what is read
/// from them, what is kept of the visitor's address, the warnings that follow from these, and the verdict. Never changed:
/// ids, times, action, the person, and whatever else is as it was sent. The rules of `site` are those of now; without them
/// addresses of pages stand.
#[must_use]
pub fn rederive(event: &Event, site: Option<&Site>, says: AgentSays) -> Event {
    let mut event = event.clone();
    machine(&mut event, says);
    if let Some(site) = site {
        place(&mut event, site);
    }
    visitors_address(&mut event, site);
    if site.is_some_and(|site| site.cookieless) {
        event.user_agent = None;
        forget_stored(&mut event);
    }
    warn(&mut event, ReasonCode::DeviceUnknown, |event| event.device_type == DeviceType::Unknown);
    // An id or a time that the server makes is how a plain client works, nothing to suspect.
    let plain = [ReasonCode::IdAssigned.as_str(), ReasonCode::TimeAssigned.as_str()];
    let suspicious = event.warnings.iter().any(|warning| !plain.contains(&warning.as_str()));
    event.verdict = if suspicious { Verdict::Suspicious } else { Verdict::Valid };
    event
}

/// Device, system, browser and whether a machine acted, where the user agent is kept.
fn machine(event: &mut Event, says: AgentSays) {
    let Some(told) = event.user_agent.as_deref().map(agent::agent) else { return };
    let declared_bot = event.bot_reasons.iter().any(|reason| reason == DECLARED);
    event.bot_reasons = told.bot_reasons.iter().map(|reason| (*reason).to_owned()).collect();
    if declared_bot {
        event.bot_reasons.push(DECLARED.to_owned());
    }
    event.bot = !event.bot_reasons.is_empty();
    event.device_type = device(event, &told, says);
    let chosen = |told: &Option<String>, stands: Option<String>| match says {
        AgentSays::Fills => stands.or_else(|| told.clone()),
        AgentSays::Rules => told.clone().or(stands),
    };
    event.os = chosen(&told.os, event.os.take());
    event.browser = chosen(&told.browser, event.browser.take());
    warn(event, ReasonCode::BrowserHeadless, |_| told.headless);
}

fn device(event: &Event, told: &Agent, says: AgentSays) -> DeviceType {
    match (event.device_type, told.device_type, says) {
        _ if event.bot => DeviceType::Bot,
        // What is no bot for this version was one for an earlier: nobody declared it.
        (DeviceType::Unknown | DeviceType::Bot, told, _) => told,
        // A tablet is often declared as a phone; the agent knows better.
        (DeviceType::Mobile, DeviceType::Tablet, _) => DeviceType::Tablet,
        (stands, DeviceType::Unknown, _) | (stands, _, AgentSays::Fills) => stands,
        (_, told, AgentSays::Rules) => told,
    }
}

/// Addresses of pages, and what is read from them.
fn place(event: &mut Event, site: &Site) {
    let mut invalid = false;
    let mut again = |kept: &mut Option<String>| -> Option<Page> {
        let page = page::scrub_again(kept.as_deref()?, &site.allowed_query);
        invalid |= page.is_none();
        *kept = page.as_ref().map(|page| page.url.clone());
        page
    };
    again(&mut event.referrer);
    let page = again(&mut event.url);
    if invalid {
        warn(event, ReasonCode::FieldInvalid, |_| true);
    }
    if let Some(Page { path, utm, .. }) = page {
        event.path = event.path.take().or(Some(path));
        let [source, medium, campaign, term, content] = utm;
        let found = [
            (&mut event.utm_source, source),
            (&mut event.utm_medium, medium),
            (&mut event.utm_campaign, campaign),
            (&mut event.utm_term, term),
            (&mut event.utm_content, content),
        ];
        for (stands, found) in found {
            *stands = stands.take().or(found);
        }
    }
    if let Some(path) = &mut event.path
        && let Some(end) = path.find(['?', '#'])
    {
        path.truncate(end);
    }
}

/// The visitor's address as it may be kept now.
fn visitors_address(event: &mut Event, site: Option<&Site>) {
    let kept = event.ip.take().and_then(|ip| ip.parse::<IpAddr>().ok()).filter(|ip| !address::is_private(*ip));
    if site.is_none_or(|site| site.ip_policy == IpPolicy::Anonymize) {
        event.ip = kept.map(|ip| address::anonymize(ip).to_string());
    }
}

/// Takes out what clients store to be known again.
fn forget_stored(event: &mut Event) {
    let Ok(mut map) = serde_json::from_str::<Map<String, Value>>(event.properties.as_str()) else { return };
    let before = map.len();
    visitor::STORED.iter().for_each(|name| drop(map.remove(*name)));
    if map.len() < before {
        event.properties = if map.is_empty() { Properties::default() } else { Properties::from_map(&map) };
    }
}

/// Has the warning stand where it applies, and only there.
fn warn(event: &mut Event, code: ReasonCode, applies: impl FnOnce(&Event) -> bool) {
    let code = code.as_str();
    let (applies, stands) = (applies(event), event.warnings.iter().any(|warning| warning == code));
    if applies && !stands {
        event.warnings.push(code.to_owned());
    } else if !applies && stands {
        event.warnings.retain(|warning| warning != code);
    }
}
