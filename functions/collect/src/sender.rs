//! Who sends: the key, the address behind proxies, the country.

use std::net::{IpAddr, SocketAddr};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header};
use ipnet::IpNet;
use serde_json::{Map, Value};

/// Base64 of `Authorization`, with or without its padding.
const BASIC: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The write key that stands beside the body: the user name of Basic authorization, else `?writeKey=`.
pub fn outer_key(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    basic_user(headers).or_else(|| query.map(str::to_owned)).filter(|key| !key.is_empty())
}

/// The write key that stands in an event.
pub fn key_in(fields: &Map<String, Value>) -> Option<&str> {
    ["writeKey", "write_key"].into_iter().find_map(|name| fields.get(name)?.as_str()).filter(|key| !key.is_empty())
}

fn basic_user(headers: &HeaderMap) -> Option<String> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASIC.decode(encoded.trim()).ok()?).ok()?;
    pair.split(':').next().filter(|user| !user.is_empty()).map(str::to_owned)
}

/// Where a request comes from.
#[derive(Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The visitor's address.
    pub ip: Option<IpAddr>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// The visitor of a request. Forwarding headers count only from a trusted proxy: of `X-Forwarded-For` the last address
/// that is no trusted proxy itself, as whatever stands before it may be invented.
pub fn visitor(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNet]) -> Visitor {
    let peer = peer.map(|ip| ip.to_canonical());
    if !is_trusted(peer, trusted) {
        return Visitor { ip: peer, country: None };
    }
    let trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut ip = peer;
    for hop in hops {
        // Nothing is known of who stands before a hop that cannot be read.
        let Some(address) = address(hop.trim()) else { break };
        ip = Some(address);
        if !trusted(&address) {
            break;
        }
    }
    Visitor { ip, country: country(headers) }
}

/// True if `peer` is a proxy whose headers are believed.
pub fn is_trusted(peer: Option<IpAddr>, trusted: &[IpNet]) -> bool {
    peer.is_some_and(|ip| trusted.iter().any(|net| net.contains(&ip.to_canonical())))
}

/// An address as proxies write it: bare, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let ip = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    ip.or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()).map(|ip: IpAddr| ip.to_canonical())
}

/// What the CDN says; its words for "unknown" (XX) and for Tor (T1) are no countries.
fn country(headers: &HeaderMap) -> Option<String> {
    ["cf-ipcountry", "cloudfront-viewer-country"].iter().find_map(|name| {
        let text = headers.get(*name)?.to_str().ok()?;
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) && !text.eq_ignore_ascii_case("xx")).then(|| text.to_owned())
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn ip(forwarded: &str, peer: &str, trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|n| n.parse().unwrap()).collect();
        visitor(&headers(&[("x-forwarded-for", forwarded)]), Some(peer.parse().unwrap()), &trusted).ip.unwrap().to_string()
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        assert_eq!(ip("8.8.8.8", "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(ip("8.8.8.8", "9.9.9.9", &["10.0.0.0/8"]), "9.9.9.9");
        assert_eq!(ip("6.6.6.6, 8.8.8.8, 10.0.0.2", "10.0.0.1", &["10.0.0.0/8"]), "8.8.8.8");
        assert_eq!(ip("6.6.6.6, 8.8.8.8:4711", "::ffff:10.0.0.1", &["10.0.0.0/8"]), "8.8.8.8");
        assert_eq!(ip("6.6.6.6, [2001:db8::1]:443", "10.0.0.1", &["10.0.0.0/8"]), "2001:db8::1");
        assert_eq!(ip("10.0.0.3, 10.0.0.2", "10.0.0.1", &["10.0.0.0/8"]), "10.0.0.3");
        assert_eq!(ip("6.6.6.6, unknown", "10.0.0.1", &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn a_country_is_believed_of_a_trusted_proxy_alone() {
        let from = |peer: &str, country: &str| {
            visitor(&headers(&[("cf-ipcountry", country)]), Some(peer.parse().unwrap()), &["10.0.0.0/8".parse().unwrap()]).country
        };
        assert_eq!(from("10.0.0.1", "DE").as_deref(), Some("DE"));
        assert_eq!(from("8.8.8.8", "DE"), None);
        assert_eq!(from("10.0.0.1", "XX"), None);
        assert_eq!(from("10.0.0.1", "T1"), None);
    }

    #[test]
    fn the_key_is_found_wherever_it_may_stand() {
        let basic = |value: &str| outer_key(&headers(&[("authorization", value)]), Some("query"));
        assert_eq!(basic("Basic azE6").as_deref(), Some("k1"));
        assert_eq!(basic("basic azE").as_deref(), Some("k1"));
        assert_eq!(basic("Basic Og==").as_deref(), Some("query"));
        assert_eq!(basic("Bearer azE6").as_deref(), Some("query"));
        assert_eq!(basic("Basic %%%").as_deref(), Some("query"));
        assert_eq!(outer_key(&HeaderMap::new(), Some("")), None);
        let event = serde_json::json!({ "write_key": "k1" });
        assert_eq!(key_in(event.as_object().unwrap()), Some("k1"));
    }
}
