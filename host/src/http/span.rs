//! The span of a request, where traces are taken.

use std::sync::LazyLock;

use axum::{body::Body, response::Response};
use clickstream_telemetry::trace::{self, KeyValue, Origin, Span};
use http::{Method, Request};

use super::openapi;

/// What a program asks all the time, which is no work.
const PROBES: [&str; 3] = ["/health", "/metrics", "/ready"];
/// Methods that a span may be named after.
const METHODS: [Method; 7] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// Answers within a span. That of a caller who is `believed` is continued; a stranger's is linked. What the address says of
/// a person or a key stays out of it: the route is that of the API's description.
pub fn traced<F: Future<Output = Response>>(
    request: Request<Body>,
    believed: bool,
    answer: impl FnOnce(Request<Body>) -> F,
) -> impl Future<Output = Response> {
    let span = begin(&request, believed);
    // An answer is large, and would be in there twice.
    let answer = Box::pin(answer(request));
    async move {
        let response = Span::around(span.as_ref(), answer).await;
        if let Some(span) = span {
            span.set(KeyValue::new("http.response.status_code", i64::from(response.status().as_u16())));
            span.end(!response.status().is_server_error());
        }
        response
    }
}

fn begin(request: &Request<Body>, believed: bool) -> Option<Span> {
    if !trace::is_on() || PROBES.contains(&request.uri().path()) {
        return None;
    }
    let method = METHODS.iter().find(|method| *method == request.method()).map_or("_OTHER", Method::as_str).to_owned();
    let route = route(request.uri().path());
    let mut attributes = vec![KeyValue::new("http.request.method", method.clone())];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    let carrier = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let origin = Origin::of_request(carrier, believed, attributes);
    let name = || route.map_or_else(|| method.clone(), |route| format!("{method} {route}")).into();
    Span::begin(name, origin)
}

/// The path of the API's description that `path` is one of.
fn route(path: &str) -> Option<&'static str> {
    static ROUTES: LazyLock<Vec<String>> = LazyLock::new(|| openapi::document().paths.paths.into_keys().collect());
    let matches = |route: &&String| {
        let (mut named, mut given) = (route.split('/'), path.split('/'));
        loop {
            match (named.next(), given.next()) {
                (None, None) => return true,
                (Some(named), Some(given)) if named == given || named.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    // One that is named whole goes before one with a variable.
    ROUTES.iter().filter(matches).min_by_key(|route| route.matches('{').count()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_no_one() {
        assert_eq!(route("/v1/batch"), Some("/v1/batch"));
        assert_eq!(route("/v1/events/7f9c2ba4-e88f-427d-8a3e-3d8e0ad0c8a1/trace"), Some("/v1/events/{event_id}/trace"));
        assert_eq!(route("/v1/nothing/here"), None);
        assert!(route("/v1/users/ann@example.org/export").is_some_and(|route| !route.contains("ann")));
    }
}
