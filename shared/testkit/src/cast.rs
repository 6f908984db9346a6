//! Pages, elements, devices and campaigns that traffic is made of.

/// An element of a page, how often a person who sees it clicks it, and where it stands.
pub struct Element {
    pub id: &'static str,
    pub kind: &'static str,
    pub text: &'static str,
    pub click_rate: f64,
    pub x: i32,
    pub y: i32,
}

/// A page, how often it is chosen, and what is on it.
pub struct Page {
    pub path: &'static str,
    pub title: &'static str,
    pub weight: u32,
    pub elements: &'static [Element],
}

/// A device and how often it is met.
pub struct Device {
    pub agent: &'static str,
    pub kind: &'static str,
    pub width: i32,
    pub height: i32,
    pub weight: u32,
}

const fn element(id: &'static str, kind: &'static str, text: &'static str, click_rate: f64, x: i32, y: i32) -> Element {
    Element { id, kind, text, click_rate, x, y }
}

pub const PAGES: [Page; 5] = [
    Page {
        path: "/",
        title: "Home",
        weight: 40,
        elements: &[
            element("hero", "banner", "New this autumn", 0.18, 640, 260),
            element("newsletter", "button", "Subscribe", 0.03, 400, 1400),
            element("featured-tea", "card", "Smoked tea", 0.12, 320, 720),
        ],
    },
    Page {
        path: "/shop",
        title: "Shop",
        weight: 28,
        elements: &[
            element("filter-price", "select", "Price", 0.09, 140, 200),
            element("buy-kettle", "button", "Buy kettle", 0.07, 420, 520),
            element("buy-tea", "button", "Buy tea", 0.11, 820, 520),
        ],
    },
    Page {
        path: "/product/kettle",
        title: "Kettle",
        weight: 16,
        elements: &[
            element("add-to-cart", "button", "Add to cart", 0.21, 980, 420),
            element("reviews", "link", "42 reviews", 0.06, 300, 900),
        ],
    },
    Page { path: "/cart", title: "Cart", weight: 10, elements: &[element("checkout", "button", "Check out", 0.44, 1010, 380)] },
    Page { path: "/about", title: "About us", weight: 6, elements: &[element("contact", "link", "Write to us", 0.05, 200, 640)] },
];

pub const DEVICES: [Device; 6] = [
    Device {
        agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        kind: "DESKTOP",
        width: 1440,
        height: 900,
        weight: 34,
    },
    Device {
        agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        kind: "IOS",
        width: 390,
        height: 844,
        weight: 26,
    },
    Device {
        agent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        kind: "ANDROID",
        width: 412,
        height: 915,
        weight: 22,
    },
    Device {
        agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0",
        kind: "DESKTOP",
        width: 1680,
        height: 1050,
        weight: 12,
    },
    Device {
        agent: "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
        kind: "TABLET",
        width: 820,
        height: 1180,
        weight: 4,
    },
    Device {
        agent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        kind: "DESKTOP",
        width: 1024,
        height: 768,
        weight: 2,
    },
];

/// Source, medium and name of a campaign.
pub type Campaign = (&'static str, &'static str, &'static str);

/// Referrer and campaign by which visitors come.
pub const CAMPAIGNS: [(Option<&str>, Option<Campaign>); 4] = [
    (None, None),
    (Some("https://search.example/"), None),
    (Some("https://social.example/feed"), Some(("social", "paid", "autumn"))),
    (None, Some(("newsletter", "email", "weekly"))),
];
