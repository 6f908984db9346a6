//! Sites: who may send, and how their events are treated.

mod file;
mod names;
mod quota;
mod schema;
mod table;
mod visitor;
mod walk;

pub use names::PropertyNames;
pub use quota::{Quota, Rate};
pub use schema::{Schema, Schemas, Violation};
pub use table::{Sites, SitesError};
pub use visitor::VisitorSecret;

/// What is kept of a visitor's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpPolicy {
    /// Cut to /24 (IPv4) or /48 (IPv6).
    #[default]
    Anonymize,
    /// Kept nowhere.
    Drop,
}

/// One site and its rules.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in every table.
    pub site_id: String,
    /// Keys that may write to it (ingest only, may be public).
    pub write_keys: Vec<String>,
    /// Origins that browsers may send from; empty means any.
    pub allowed_origins: Vec<String>,
    /// What is kept of a visitor's address.
    pub ip_policy: IpPolicy,
    /// Visitors are told apart by an id that the service makes anew each day; what a client stores to be known again
    /// is not kept.
    pub cookieless: bool,
    /// What the daily ids of a cookieless site are made with.
    pub visitor_secret: VisitorSecret,
    /// Its time zone, an IANA name.
    pub timezone: String,
    /// Oldest event taken over HTTP, days.
    pub max_age_days: u32,
    /// Clock skew that raises a warning, seconds.
    pub max_skew_seconds: u32,
    /// Query parameters kept in addresses besides `utm_*`.
    pub allowed_query: Vec<String>,
    /// How many events may be sent over HTTP.
    pub quota: Quota,
    /// What properties of its events must be.
    pub schemas: Schemas,
    /// Which names of properties are kept; none means all.
    pub property_names: Option<PropertyNames>,
}

impl Site {
    /// A site with the default rules: any origin, addresses anonymised, 30 days, no quota.
    pub fn new(site_id: impl Into<String>, write_key: impl Into<String>) -> Self {
        Self {
            site_id: site_id.into(),
            write_keys: vec![write_key.into()],
            allowed_origins: Vec::new(),
            ip_policy: IpPolicy::default(),
            cookieless: false,
            visitor_secret: VisitorSecret::default(),
            timezone: "UTC".to_owned(),
            max_age_days: 30,
            max_skew_seconds: 3_600,
            allowed_query: Vec::new(),
            quota: Quota::default(),
            schemas: Schemas::default(),
            property_names: None,
        }
    }

    /// True if a rejected event is kept as it was sent. Else what the site promises to keep of nobody is taken out.
    pub fn keeps_originals(&self) -> bool {
        !self.cookieless && self.ip_policy != IpPolicy::Drop
    }
}

/// True for what may name a site: it stands in paths and object keys.
fn is_site_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
