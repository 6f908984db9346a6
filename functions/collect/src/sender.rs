//! Who sends: the site by its key, the address behind proxies, the country.

use std::{net::IpAddr, sync::Arc};

use base64::Engine as _;
use clickstream_event::{Site, Sites};
use http::{HeaderMap, header};

use crate::{Limits, error::CollectError};

/// The site of the request's write key: Basic user name, then the query, then the body.
pub fn site(sites: &Sites, headers: &HeaderMap, query_key: Option<&str>, body_key: Option<&str>) -> Result<Arc<Site>, CollectError> {
    let basic = basic_user(headers);
    let key = basic.as_deref().or(query_key).or(body_key).filter(|k| !k.is_empty()).ok_or(CollectError::KeyMissing)?;
    sites.by_write_key(key).ok_or(CollectError::KeyUnknown)
}

fn basic_user(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = text.get(..6).filter(|s| s.eq_ignore_ascii_case("basic ")).and_then(|_| text.get(6..))?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    Some(pair.split(':').next().unwrap_or_default().to_owned())
}

/// Address and country of the visitor. Forwarding headers count only from a trusted proxy: of
/// `X-Forwarded-For` the last address that is no trusted proxy itself.
pub fn visitor(headers: &HeaderMap, peer: Option<IpAddr>, limits: &Limits) -> (Option<IpAddr>, Option<String>) {
    let trusted = |ip: &IpAddr| limits.trusted_proxies.iter().any(|net| net.contains(ip));
    if !peer.as_ref().is_some_and(trusted) {
        return (peer, None);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(",");
    let ip = forwarded.rsplit(',').filter_map(|part| part.trim().parse::<IpAddr>().ok()).find(|ip| !trusted(ip)).or(peer);
    let country = ["cf-ipcountry", "cloudfront-viewer-country"].iter().find_map(|name| {
        let text = headers.get(*name)?.to_str().ok()?;
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())).then(|| text.to_owned())
    });
    (ip, country)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 8.8.8.8, 10.0.0.2".parse().unwrap());
        headers.insert("cf-ipcountry", "DE".parse().unwrap());
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(visitor(&headers, Some(peer), &Limits::default()), (Some(peer), None));
        let limits = Limits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Limits::default() };
        assert_eq!(visitor(&headers, Some(peer), &limits), (Some("8.8.8.8".parse().unwrap()), Some("DE".into())));
    }

    #[test]
    fn the_key_is_found_wherever_it_may_stand() {
        let sites = Sites::new(vec![Site::new("shop", "k1")]);
        let mut headers = HeaderMap::new();
        assert!(matches!(site(&sites, &headers, None, None), Err(CollectError::KeyMissing)));
        assert!(matches!(site(&sites, &headers, Some("no"), None), Err(CollectError::KeyUnknown)));
        assert_eq!(site(&sites, &headers, None, Some("k1")).unwrap().site_id, "shop");
        headers.insert(header::AUTHORIZATION, "Basic azE6".parse().unwrap());
        assert_eq!(site(&sites, &headers, None, None).unwrap().site_id, "shop");
    }
}
