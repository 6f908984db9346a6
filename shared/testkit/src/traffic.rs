//! Believable traffic: visitors with sessions that wander over pages, see elements and click some.

use clickstream_event::Micros;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cast::{CAMPAIGNS, DEVICES, Device, Element, PAGES, Page};

/// Visitors who are on their way at once.
const AT_ONCE: usize = 200;
/// Events between which a visitor may leave.
const LEAVES: f64 = 0.06;

/// What traffic to make.
#[derive(Clone, Debug)]
pub struct TrafficOptions {
    /// The same seed makes the same traffic.
    pub seed: u64,
    /// Sites, visited in turn.
    pub sites: Vec<String>,
    /// When the first event happens.
    pub start: Micros,
    /// Mean time between two events, µs.
    pub step: i64,
}

/// What a visitor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Opened a page.
    Page,
    /// Saw an element.
    View,
    /// Clicked one.
    Click,
    /// Gave a name.
    Identify,
}

/// One event.
#[derive(Clone, Debug)]
pub struct TrafficEvent {
    /// Its site.
    pub site: String,
    /// Its id.
    pub message_id: Uuid,
    /// When it happened.
    pub at: Micros,
    /// What was done.
    pub deed: Deed,
    /// Who did it.
    pub anonymous_id: String,
    /// Who did it, if named.
    pub user_id: Option<String>,
    /// In which session.
    pub session_id: String,
    page: usize,
    element: usize,
    device: usize,
    campaign: usize,
    x: i32,
    y: i32,
    visible_ms: i64,
}

struct Visitor {
    anonymous_id: String,
    user_id: Option<String>,
    session_id: String,
    site: usize,
    device: usize,
    campaign: usize,
    page: usize,
    /// Elements of the page seen so far; none: the page is to be opened.
    seen: Option<usize>,
    /// The element seen last may be clicked.
    may_click: bool,
}

/// An endless stream of events.
pub struct Traffic {
    random: ChaCha8Rng,
    options: TrafficOptions,
    now: Micros,
    visitors: Vec<Visitor>,
}

impl Traffic {
    /// Traffic as `options` say.
    pub fn new(options: TrafficOptions) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(options.seed), now: options.start, visitors: Vec::new(), options }
    }

    /// The next event; time goes on.
    pub fn next_event(&mut self) -> TrafficEvent {
        self.now = self.now.plus(self.random.random_range(0..=self.options.step.max(0) * 2));
        let index = self.random.random_range(0..AT_ONCE);
        if index >= self.visitors.len() {
            let visitor = self.arrive();
            self.visitors.push(visitor);
            return self.step(self.visitors.len() - 1);
        }
        if self.random.random_bool(LEAVES) {
            self.visitors[index] = self.arrive();
        }
        self.step(index)
    }

    fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut rest = self.random.random_range(0..weights.clone().sum::<u32>());
        for (index, weight) in weights.enumerate() {
            if rest < weight {
                return index;
            }
            rest -= weight;
        }
        0
    }

    fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    fn arrive(&mut self) -> Visitor {
        let anonymous_id = format!("a-{:08x}", self.random.random_range(0..20_000_u32));
        let user_id = self.random.random_bool(0.3).then(|| format!("u-{}", self.random.random_range(0..5_000_u32)));
        Visitor {
            anonymous_id,
            user_id,
            session_id: self.id().simple().to_string(),
            site: self.random.random_range(0..self.options.sites.len()),
            device: self.weighted(DEVICES.iter().map(|d| d.weight)),
            campaign: self.random.random_range(0..CAMPAIGNS.len()),
            page: self.weighted(PAGES.iter().map(|p| p.weight)),
            seen: None,
            may_click: false,
        }
    }

    fn step(&mut self, index: usize) -> TrafficEvent {
        let message_id = self.id();
        let next_page = self.weighted(PAGES.iter().map(|p| p.weight));
        let (jitter_x, jitter_y, visible_ms) =
            (self.random.random_range(-40..=40), self.random.random_range(-12..=12), self.random.random_range(1_000..30_000));
        let roll: f64 = self.random.random();
        let visitor = &mut self.visitors[index];
        let page = &PAGES[visitor.page];
        let (deed, element) = match visitor.seen {
            None => {
                visitor.seen = Some(0);
                (Deed::Page, 0)
            }
            Some(seen) if visitor.may_click => {
                visitor.may_click = false;
                if roll < page.elements[seen - 1].click_rate { (Deed::Click, seen - 1) } else { see(visitor, seen, next_page) }
            }
            Some(seen) if visitor.user_id.is_some() && roll < 0.02 => (Deed::Identify, seen.saturating_sub(1)),
            Some(seen) => see(visitor, seen, next_page),
        };
        let visitor = &self.visitors[index];
        let place = &PAGES[visitor.page].elements[element];
        let width = DEVICES[visitor.device].width;
        TrafficEvent {
            site: self.options.sites[visitor.site].clone(),
            message_id,
            at: self.now,
            deed,
            anonymous_id: visitor.anonymous_id.clone(),
            user_id: visitor.user_id.clone(),
            session_id: visitor.session_id.clone(),
            page: visitor.page,
            element,
            device: visitor.device,
            campaign: visitor.campaign,
            x: (place.x * width / 1440 + jitter_x).clamp(0, width),
            y: (place.y + jitter_y).max(0),
            visible_ms,
        }
    }
}

/// The visitor sees the next element, or opens the next page.
fn see(visitor: &mut Visitor, seen: usize, next_page: usize) -> (Deed, usize) {
    if seen < PAGES[visitor.page].elements.len() {
        visitor.seen = Some(seen + 1);
        visitor.may_click = true;
        return (Deed::View, seen);
    }
    visitor.page = next_page;
    visitor.seen = Some(0);
    (Deed::Page, 0)
}

/// The header of the clicks CSV.
pub const CLICKS_HEADER: &str = "id,type,createdAt,receivedAt,sessionId,ip,userId,url,referrer,deviceType,userAgent,payload.eventTitle,payload.elementId,payload.x,payload.y,payload.elementText,payload.elementClass,payload.pageTitle,payload.viewportWidth,payload.viewportHeight,payload.scrollPosition,payload.timestampOffset,payload.metadata";

impl TrafficEvent {
    fn page(&self) -> &'static Page {
        &PAGES[self.page]
    }

    fn element(&self) -> &'static Element {
        &self.page().elements[self.element]
    }

    fn device(&self) -> &'static Device {
        &DEVICES[self.device]
    }

    fn url(&self) -> String {
        let campaign = CAMPAIGNS[self.campaign].1;
        let query = campaign.map(|(s, m, c)| format!("?utm_source={s}&utm_medium={m}&utm_campaign={c}")).unwrap_or_default();
        format!("https://{}.example{}{query}", self.site, self.page().path)
    }

    /// True if the user agent says that a machine did it.
    pub fn is_bot(&self) -> bool {
        self.device().agent.contains("Googlebot")
    }

    /// The element that was seen or clicked.
    pub fn element_id(&self) -> Option<&'static str> {
        matches!(self.deed, Deed::View | Deed::Click).then(|| self.element().id)
    }

    /// The event in Segment's shape, without `sentAt`.
    pub fn to_segment(&self) -> Value {
        let (page, device, element) = (self.page(), self.device(), self.element());
        let mut event = json!({
            "messageId": self.message_id,
            "anonymousId": self.anonymous_id,
            "timestamp": self.at.to_string(),
            "context": {
                "page": { "url": self.url(), "path": page.path, "title": page.title, "referrer": CAMPAIGNS[self.campaign].0 },
                "userAgent": device.agent,
                "locale": "en-GB",
                "library": { "name": "clickstream-testkit", "version": "1" },
            },
        });
        if let Some(user) = &self.user_id {
            event["userId"] = json!(user);
        }
        let viewport = json!({ "session_id": self.session_id, "viewport_width": device.width, "viewport_height": device.height });
        match self.deed {
            Deed::Page => {
                event["type"] = json!("page");
                event["name"] = json!(page.title);
                event["properties"] = viewport;
            }
            Deed::Identify => {
                event["type"] = json!("identify");
                event["context"]["sessionId"] = json!(self.session_id);
                event["traits"] = json!({ "plan": "free" });
            }
            Deed::View | Deed::Click => {
                event["type"] = json!("track");
                event["event"] = json!(if self.deed == Deed::View { "element_viewed" } else { "element_clicked" });
                event["properties"] = viewport;
                let properties = &mut event["properties"];
                properties["element_id"] = json!(element.id);
                properties["element_kind"] = json!(element.kind);
                properties["element_text"] = json!(element.text);
                if self.deed == Deed::Click {
                    properties["x"] = json!(self.x);
                    properties["y"] = json!(self.y);
                } else {
                    properties["visible_ms"] = json!(self.visible_ms);
                }
            }
        }
        event
    }

    /// The cells of the event's row in the clicks CSV, in the order of [`CLICKS_HEADER`]; absent ones are `null`.
    pub fn to_clicks_cells(&self) -> Vec<String> {
        let (page, device, element) = (self.page(), self.device(), self.element());
        let on_element = matches!(self.deed, Deed::View | Deed::Click);
        let null = || "null".to_owned();
        let at = |moment: Micros| moment.to_string().replace('T', " ").trim_end_matches('Z').to_owned();
        let kind = match self.deed {
            Deed::Page => "PAGE",
            Deed::View => "VIEW",
            Deed::Click => "CLICK",
            Deed::Identify => "IDENTIFY",
        };
        vec![
            self.message_id.to_string(),
            kind.to_owned(),
            at(self.at),
            at(self.at.plus(350_000)),
            self.session_id.clone(),
            "93.184.216.34".to_owned(),
            self.user_id.clone().unwrap_or_else(null),
            self.url(),
            CAMPAIGNS[self.campaign].0.map_or_else(null, str::to_owned),
            device.kind.to_owned(),
            device.agent.to_owned(),
            page.title.to_owned(),
            if on_element { element.id.to_owned() } else { null() },
            if self.deed == Deed::Click { self.x.to_string() } else { null() },
            if self.deed == Deed::Click { self.y.to_string() } else { null() },
            if on_element { element.text.to_owned() } else { null() },
            null(),
            page.title.to_owned(),
            device.width.to_string(),
            device.height.to_string(),
            "0".to_owned(),
            "0".to_owned(),
            format!("{{\"campaign\":{}}}", self.campaign),
        ]
    }

    /// The same row as a JSON object with a nested `payload`.
    pub fn to_clicks_json(&self) -> Value {
        clicks_json(&self.to_clicks_cells())
    }
}

/// The cells of a row of the clicks CSV as a JSON object with a nested `payload`.
pub fn clicks_json(cells: &[String]) -> Value {
    let mut event = json!({ "payload": {} });
    for (name, cell) in CLICKS_HEADER.split(',').zip(cells) {
        let value = if cell == "null" { Value::Null } else { Value::String(cell.clone()) };
        match name.strip_prefix("payload.") {
            Some(name) => event["payload"][name] = value,
            None => event[name] = value,
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_traffic_with_clicks_in_it() {
        let options = TrafficOptions { seed: 7, sites: vec!["demo".into()], start: Micros(1_795_521_600_000_000), step: 1_000 };
        let take = || {
            let mut traffic = Traffic::new(options.clone());
            (0..3_000).map(|_| traffic.next_event()).collect::<Vec<_>>()
        };
        let (a, b) = (take(), take());
        assert!(a.iter().zip(&b).all(|(a, b)| a.to_segment() == b.to_segment()));
        let clicks = a.iter().filter(|e| e.deed == Deed::Click).count();
        assert!((50..900).contains(&clicks), "{clicks} clicks");
    }
}
