//! Which path takes what.

use clickstream_event::Shape;
use http::Method;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// Events in a body.
    Events(Events),
    /// One event in the address of an image; Segment's type.
    Pixel(&'static str),
    /// The settings that Segment's browser client asks for by its write key, which stands in the path as sent.
    Settings(&'a str),
    /// What Segment's browser client measures about itself.
    Measurements,
}

/// How a body spells its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events {
    /// The names of the fields.
    pub shape: Shape,
    /// Segment's type that the path names; `batch` for a batch.
    pub implied: Option<&'static str>,
}

/// The route of a path, if events are collected there.
pub fn route(path: &str) -> Option<Route<'_>> {
    let events = |shape, implied| Some(Route::Events(Events { shape, implied }));
    match path {
        "/v1/batch" | "/v1/b" | "/v1/import" => return events(Shape::Segment, Some("batch")),
        "/v1/events" => return events(Shape::Canonical, None),
        "/clicks" => return events(Shape::Clicks, None),
        "/v1/m" => return Some(Route::Measurements),
        _ => {}
    }
    // Segment's own address of the image, and a shorter one.
    if let Some(kind) = path.strip_prefix("/pixel/v1/").or_else(|| path.strip_prefix("/v1/pixel/")) {
        return segment_type(kind).map(Route::Pixel);
    }
    if let Some(rest) = path.strip_prefix("/v1/projects/") {
        let key = rest.strip_suffix("/settings").filter(|key| !key.is_empty() && !key.contains('/'));
        return key.map(Route::Settings);
    }
    events(Shape::Segment, Some(segment_type(path.strip_prefix("/v1/")?)?))
}

/// Segment's type by its name, or by the first letter, as its browser client writes it.
fn segment_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "track" | "t" => "track",
        "page" | "p" => "page",
        "screen" | "s" => "screen",
        "identify" | "i" => "identify",
        "group" | "g" => "group",
        "alias" | "a" => "alias",
        _ => return None,
    })
}

impl Route<'_> {
    /// The methods that the path answers, as `Allow` lists them.
    pub fn methods(self) -> &'static str {
        match self {
            Self::Events(_) | Self::Measurements => "POST, OPTIONS",
            Self::Pixel(_) | Self::Settings(_) => "GET, HEAD, OPTIONS",
        }
    }

    /// True if the path answers `method`.
    pub fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|known| known == method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(path: &str) -> Option<&'static str> {
        match route(path)? {
            Route::Events(events) => events.implied,
            Route::Pixel(kind) => Some(kind),
            _ => None,
        }
    }

    #[test]
    fn every_type_has_a_long_path_a_short_one_and_an_image() {
        for kind in ["track", "page", "screen", "identify", "group", "alias"] {
            let letter = &kind[..1];
            for path in [format!("/v1/{kind}"), format!("/v1/{letter}"), format!("/pixel/v1/{kind}"), format!("/v1/pixel/{kind}")] {
                assert_eq!(type_of(&path), Some(kind), "{path}");
            }
        }
        assert_eq!([type_of("/v1/batch"), type_of("/v1/b"), type_of("/v1/import")], [Some("batch"); 3]);
    }

    #[test]
    fn the_key_of_settings_is_one_step_of_the_path() {
        assert_eq!(route("/v1/projects/k%20y/settings"), Some(Route::Settings("k%20y")));
        for path in ["/v1/projects//settings", "/v1/projects/a/b/settings", "/v1/projects/k", "/v1/projects/settings", "/v1/x", "/v1/", "/"]
        {
            assert_eq!(route(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_says_its_methods() {
        let takes = |path: &str, method: &Method| route(path).is_some_and(|route| route.takes(method));
        assert!(takes("/v1/t", &Method::POST) && takes("/v1/t", &Method::OPTIONS) && !takes("/v1/t", &Method::GET));
        assert!(takes("/pixel/v1/track", &Method::HEAD) && !takes("/pixel/v1/track", &Method::POST));
    }
}
