//! Who may read, where nothing before this function decides it: a Lambda behind an open address.

use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use crate::QueryError;

/// Lets requests through that show the admin token, and none that a page of another origin sent.
pub fn check(headers: &HeaderMap, token: &str) -> Result<(), QueryError> {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        let origin = origin.to_str().unwrap_or("an origin that is no text");
        if host.is_none() || origin.split_once("://").map(|(_, rest)| rest) != host {
            return Err(QueryError::Origin(origin.to_owned()));
        }
    }
    let shown = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    if shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes()))) { Ok(()) } else { Err(QueryError::Token) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn asked(pairs: &[(&'static str, &str)]) -> Result<(), QueryError> {
        let headers = pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        check(&headers, "0123456789abcdef")
    }

    #[test]
    fn the_token_lets_in_and_a_foreign_page_stays_out() {
        let right = ("authorization", "Bearer 0123456789abcdef");
        assert!(asked(&[right]).is_ok());
        assert!(asked(&[right, ("host", "a.example"), ("origin", "https://a.example")]).is_ok());
        assert!(matches!(asked(&[]), Err(QueryError::Token)));
        assert!(matches!(asked(&[("authorization", "Bearer 0123456789abcdeF")]), Err(QueryError::Token)));
        assert!(matches!(asked(&[("authorization", "Basic 0123456789abcdef")]), Err(QueryError::Token)));
        assert!(matches!(asked(&[right, ("host", "a.example"), ("origin", "https://b.example")]), Err(QueryError::Origin(_))));
        assert!(matches!(asked(&[right, ("origin", "null")]), Err(QueryError::Origin(_))));
    }
}
