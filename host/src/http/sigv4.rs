//! Requests that AWS's clients sign (Signature Version 4,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::{fmt::Write as _, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The scheme of the header `Authorization`.
pub const SCHEME: &str = "AWS4-HMAC-SHA256";
/// The service in what is signed.
const SERVICE: &str = "lambda";
/// How far the clocks may differ, as AWS allows.
const SKEW: Duration = Duration::from_mins(5);
/// What does not stay as it is in a path: all but RFC 3986's unreserved and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A key that may invoke functions.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// A signed request whose signature is to be held against its parts.
pub struct Signed<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// Parts of the header `Authorization`.
struct Claim<'a> {
    id: &'a str,
    date: &'a str,
    region: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix(SCHEME)?;
        let part = |name: &str| text.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = part("Credential")?.split('/');
        let (id, date, region, service, end) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        let headers: Vec<_> = part("SignedHeaders")?.split(';').collect();
        // Without the host a signature would be good at any other service of the same key.
        let whole = (service, end) == (SERVICE, "aws4_request") && headers.contains(&"host");
        whole.then_some(Self { id, date, region, headers, signature: part("Signature")? })
    }
}

impl Signed<'_> {
    /// True if `key` signed this request at about `now`, seconds since 1970.
    pub fn is_by(&self, key: &SigningKey, now: i64) -> bool {
        self.signature(key, now).is_some_and(|(said, right)| bool::from(said.as_bytes().ct_eq(right.as_bytes())))
    }

    /// The signature that the request has, and the one that it should have.
    fn signature(&self, key: &SigningKey, now: i64) -> Option<(&str, String)> {
        let claim = Claim::of(self.headers)?;
        let at = self.headers.get("x-amz-date")?.to_str().ok()?;
        let signed_at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", at).ok()?;
        let signed_at = jiff::tz::TimeZone::UTC.to_timestamp(signed_at).ok()?;
        let timely = signed_at.as_second().abs_diff(now) <= SKEW.as_secs();
        if !timely || !at.starts_with(claim.date) || !bool::from(claim.id.as_bytes().ct_eq(key.id.as_bytes())) {
            return None;
        }
        let scope = format!("{}/{}/{SERVICE}/aws4_request", claim.date, claim.region);
        let text = format!("{SCHEME}\n{at}\n{scope}\n{}", hex(&Sha256::digest(self.canonical(&claim.headers)?)));
        let mut secret = mac(format!("AWS4{}", key.secret).as_bytes(), claim.date);
        for part in [claim.region, SERVICE, "aws4_request", &text] {
            secret = mac(&secret, part);
        }
        Some((claim.signature, hex(&secret)))
    }

    /// The request in the one way that both sides write it.
    fn canonical(&self, names: &[&str]) -> Option<String> {
        let path = utf8_percent_encode(self.uri.path(), ENCODED).to_string();
        let pairs = self.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        // By name, then by value: as text, `a-b=` would come before `a=`.
        pairs.sort_unstable();
        let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut text = format!("{}\n{path}\n{}\n", self.method, pairs.join("&"));
        for name in names {
            let values: Vec<_> = self.headers.get_all(*name).iter().map(|value| value.to_str().ok()).collect::<Option<_>>()?;
            let values: Vec<_> = values.into_iter().map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        let _ = write!(text, "\n{}\n{}", names.join(";"), hex(&Sha256::digest(self.body)));
        Some(text)
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PATH: &str = "/2015-03-31/functions/compact/invocations?b=1&a-b=2&a=3";
    const SCOPE: &str = "20261124/eu-central-1/lambda/aws4_request";
    /// 2026-11-24T12:00:00Z, and as the header says it.
    const NOW: i64 = 1_795_521_600;
    const DATE: &str = "20261124T120000Z";

    fn key() -> SigningKey {
        SigningKey { id: "airflow".to_owned(), secret: "0123456789abcdef".to_owned() }
    }

    fn headers(scope: &str, names: &str, signature: &str) -> HeaderMap {
        let authorization = format!("{SCHEME} Credential=airflow/{scope}, SignedHeaders={names}, Signature={signature}");
        let pairs = [("authorization", authorization.as_str()), ("host", "127.0.0.1:8080"), ("x-amz-date", DATE)];
        pairs.iter().map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    /// Headers with the signature that is right for [`PATH`] and the body `{}`, if one can be.
    fn signed(scope: &str, names: &str) -> HeaderMap {
        let unsigned = headers(scope, names, "");
        let request = Signed { method: &Method::POST, uri: &PATH.parse().unwrap(), headers: &unsigned, body: b"{}" };
        headers(scope, names, &request.signature(&key(), NOW).map(|(_, right)| right).unwrap_or_default())
    }

    fn judged(path: &str, body: &[u8], headers: &HeaderMap, now: i64) -> bool {
        Signed { method: &Method::POST, uri: &path.parse().unwrap(), headers, body }.is_by(&key(), now)
    }

    #[test]
    fn a_signature_is_held_against_every_part_of_the_request() {
        let headers = signed(SCOPE, "host;x-amz-date");
        assert!(judged(PATH, b"{}", &headers, NOW));
        assert!(!judged(PATH, b"{ }", &headers, NOW), "another body");
        assert!(!judged(&PATH.replace("compact", "settle"), b"{}", &headers, NOW), "another path");
        assert!(judged(&PATH.replace("b=1&a-b=2&a=3", "a=3&a-b=2&b=1"), b"{}", &headers, NOW), "pairs in another order");
        assert!(!judged(&PATH.replace("a=3", "a=4"), b"{}", &headers, NOW), "another pair");
        for (seconds, timely) in [(299, true), (301, false)] {
            assert_eq!(judged(PATH, b"{}", &headers, NOW + seconds), timely, "{seconds} s late");
            assert_eq!(judged(PATH, b"{}", &headers, NOW - seconds), timely, "{seconds} s early");
        }
    }

    #[test]
    fn a_signature_for_something_else_is_none() {
        assert!(!judged(PATH, b"{}", &signed(SCOPE, "x-amz-date"), NOW), "the host is not signed");
        for scope in ["20261124/eu-central-1/s3/aws4_request", "20261123/eu-central-1/lambda/aws4_request"] {
            assert!(!judged(PATH, b"{}", &signed(scope, "host;x-amz-date"), NOW), "{scope}");
        }
    }
}
