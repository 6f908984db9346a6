//! The event: its fields, the shapes it arrives in, and what makes it valid, suspicious or invalid.
//!
//! Nothing here does I/O or knows a server. Every source (HTTP, topic, file) decodes its bytes into
//! [`RawEvent`]s and hands each to [`admit`], so that an event means the same whichever way it came.

mod admit;
mod event;
mod micros;
mod properties;
mod raw;
mod reason;
mod site;

pub use admit::{AgentSays, Arrival, Outcome, admit, named_site, parse_time, rederive, reject_undecodable};
pub use event::{Action, DeviceType, EVENT_SCHEMA, Event, Logged, Source, Verdict};
pub use micros::Micros;
pub use properties::Properties;
pub use raw::{Body, BodyError, MAX_DEPTH, MAX_EVENT_BYTES, RawEvent, RowHeader, RowHeaderError, Shape, parse_body, parse_record};
pub use reason::{Reason, ReasonCode, Rejection};
pub use site::{IpPolicy, PropertyNames, Quota, Rate, Schema, Schemas, Site, Sites, SitesError, Violation, VisitorSecret};
