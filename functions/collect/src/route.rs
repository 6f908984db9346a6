//! Which shape a path takes.

use clickstream_event::Shape;

/// What a path expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// How events are spelt.
    pub shape: Shape,
    /// Segment's type that the path names; `batch` for a batch.
    pub implied: Option<&'static str>,
}

/// The route of a path, if events are collected there.
pub fn route(path: &str) -> Option<Route> {
    let segment = |implied| Route { shape: Shape::Segment, implied: Some(implied) };
    Some(match path {
        "/v1/track" => segment("track"),
        "/v1/page" => segment("page"),
        "/v1/screen" => segment("screen"),
        "/v1/identify" => segment("identify"),
        "/v1/group" => segment("group"),
        "/v1/alias" => segment("alias"),
        "/v1/batch" => segment("batch"),
        "/v1/events" => Route { shape: Shape::Canonical, implied: None },
        "/clicks" => Route { shape: Shape::Clicks, implied: None },
        _ => return None,
    })
}
