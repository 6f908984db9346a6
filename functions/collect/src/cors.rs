//! What browsers ask before pages of other origins may send (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use bytes::Bytes;
use clickstream_event::Site;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use url::Url;

use crate::error::CollectError;

/// How long a browser may remember a preflight's answer, seconds (what Chromium honours at most).
const REMEMBER: &str = "7200";
/// What a page may send beside what needs no question; `X-Retry-Count` is of Segment's clients.
const REQUEST_HEADERS: &str = "Authorization, Content-Encoding, Content-Type, Prefer, X-Retry-Count";
/// What a page may read of an answer beside its body.
const ANSWER_HEADERS: &str = "Preference-Applied, Retry-After, X-Clickstream-Problem, X-Clickstream-Spilled";
/// A page of the internet asks whether it may send into a private network
/// (<https://wicg.github.io/private-network-access/#headers>).
const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The answer to a preflight at a path that answers `methods`. Which site it is for is known only if the address names
/// the key (`?writeKey=`); without, any origin may ask, and the request itself is judged by its key. Credentials stay
/// off.
pub fn preflight(headers: &HeaderMap, methods: &'static str, site: Option<&Site>) -> Result<Response<Bytes>, CollectError> {
    if let Some(site) = site {
        check(page(headers).as_deref(), site)?;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ALLOW, HeaderValue::from_static(methods));
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBER));
    if headers.get(ASKS_PRIVATE).is_some_and(|asks| asks == "true") {
        answer.insert(ALLOWS_PRIVATE, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Lets the page that sent a request with `headers` read its answer, unless every page may.
pub fn allow_origin<B>(headers: &HeaderMap, response: &mut Response<B>) {
    let Some(origin) = headers.get(header::ORIGIN) else { return };
    let answer = response.headers_mut();
    if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
    answer.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// The origin of the page that sends, none for what is no page.
pub fn page(headers: &HeaderMap) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?;
    Some(origin.to_str().map_or_else(|_| "an origin that is no text".to_owned(), str::to_owned))
}

/// The origin of the page that shows an image. The browser asks for it without naming an origin, but mostly says what
/// it comes from.
pub fn page_of_image(headers: &HeaderMap) -> Option<String> {
    let shown_on = || Some(Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()?.origin().ascii_serialization());
    page(headers).or_else(shown_on)
}

/// Refuses pages that `site` does not list; what is no page is never refused.
pub fn check(page: Option<&str>, site: &Site) -> Result<(), CollectError> {
    match page {
        Some(page) if !site.allowed_origins.is_empty() && !site.allowed_origins.iter().any(|origin| origin == page) => {
            Err(CollectError::Origin(page.to_owned()))
        }
        _ => Ok(()),
    }
}
