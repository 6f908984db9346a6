//! Who may read and who may change.

use std::net::IpAddr;

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::problem::problem;

/// Reads need the admin token where one is set; without one `up` listens on loopback alone.
/// A browser that another site steers is refused: its `Host` is not ours or its `Origin` is foreign.
pub fn reader(headers: &HeaderMap, token: Option<&str>) -> Result<(), Box<Response>> {
    same_site(headers, token.is_some())?;
    let Some(token) = token else { return Ok(()) };
    let shown = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    if shown.is_some_and(|s| bool::from(s.as_bytes().ct_eq(token.as_bytes()))) {
        return Ok(());
    }
    let mut answer = problem(StatusCode::UNAUTHORIZED, "token_missing", "send the admin token: Authorization: Bearer …");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
    Err(Box::new(answer))
}

/// Changes: as a reader, and as no page can send without a preflight that is never granted.
pub fn changer(headers: &HeaderMap, token: Option<&str>) -> Result<(), Box<Response>> {
    reader(headers, token)?;
    if token.is_none() && headers.contains_key(header::ORIGIN) {
        return Err(Box::new(problem(
            StatusCode::FORBIDDEN,
            "origin_refused",
            "without ADMIN_TOKEN this is for programs on this machine, not for pages",
        )));
    }
    Ok(())
}

/// Refuses a browser that another site steers.
pub fn same_site(headers: &HeaderMap, token_set: bool) -> Result<(), Box<Response>> {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !token_set && !is_loopback(host) {
        return Err(Box::new(problem(
            StatusCode::FORBIDDEN,
            "host_refused",
            format!("the host {host:?} is none of this machine's loopback names"),
        )));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if origin.split_once("://").map(|(_, rest)| rest) != Some(host) {
            return Err(Box::new(problem(StatusCode::FORBIDDEN, "origin_refused", format!("pages of {origin:?} may not read here"))));
        }
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name =
        if host.starts_with('[') { host.split_once(']').map_or(host, |(n, _)| &n[1..]) } else { host.split(':').next().unwrap_or(host) };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse::<http::HeaderName>().expect("name"), v.parse().expect("value"))).collect()
    }

    #[test]
    fn a_page_of_another_site_reads_nothing() {
        assert!(reader(&headers(&[("host", "127.0.0.1:8080")]), None).is_ok());
        assert!(reader(&headers(&[("host", "[::1]:8080")]), None).is_ok());
        assert!(reader(&headers(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]), None).is_ok());
        assert!(reader(&headers(&[("host", "127.0.0.1:8080"), ("origin", "https://evil.example")]), None).is_err());
        // A rebound name: the browser believes it talks to its own site.
        assert!(reader(&headers(&[("host", "evil.example")]), None).is_err());
    }

    #[test]
    fn a_token_is_asked_for_where_one_is_set() {
        let token = Some("0123456789abcdef");
        assert!(reader(&headers(&[("host", "any")]), token).is_err());
        assert!(reader(&headers(&[("host", "any"), ("authorization", "Bearer 0123456789abcdef")]), token).is_ok());
    }

    #[test]
    fn a_page_changes_nothing_without_a_token() {
        let own = headers(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]);
        assert!(changer(&own, None).is_err());
        assert!(changer(&headers(&[("host", "localhost:8080")]), None).is_ok());
    }
}
