//! What browsers ask before pages of other origins may send (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use bytes::Bytes;
use clickstream_event::Site;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::error::CollectError;

/// How long a browser may remember a preflight's answer, seconds (what Chromium honours at most).
const REMEMBER: &str = "7200";
/// The methods of a path where events are collected.
pub const METHODS: &str = "POST, OPTIONS";

/// The answer to a preflight. Which site it is for is known only if the address names the key (`?writeKey=`); without,
/// any origin may ask, and the request itself is judged by its key. Credentials stay off.
pub fn preflight(headers: &HeaderMap, site: Option<&Site>) -> Result<Response<Bytes>, CollectError> {
    if site.is_some_and(|site| !may_send(headers, site)) {
        return Err(CollectError::Origin(origin(headers).to_owned()));
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow_origin(headers, &mut response);
    let answer = response.headers_mut();
    answer.insert(header::ALLOW, HeaderValue::from_static(METHODS));
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, Content-Encoding, Authorization"));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBER));
    Ok(response)
}

/// Lets the page that sent the request read its answer.
pub fn allow_origin(headers: &HeaderMap, response: &mut Response<Bytes>) {
    let Some(origin) = headers.get(header::ORIGIN) else { return };
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    answer.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// True if pages of the request's origin may write to `site`; a request without an origin is no page's.
pub fn may_send(headers: &HeaderMap, site: &Site) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    site.allowed_origins.is_empty() || site.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
}

/// The request's origin, for a message.
pub fn origin(headers: &HeaderMap) -> &str {
    headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).unwrap_or("an origin that is no text")
}
