//! What Segment's browser client (`@segment/analytics-next`) asks before it sends: the settings of its write key. They
//! say that events go back to where the settings came from, so that a site changes one address only.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header, request::Parts, uri::Authority};
use serde_json::{Value, json};

/// How long a browser may keep settings.
const KEEP: &str = "public, max-age=60";

/// The settings of a key that is known, for a client that reached the service at `address`.
pub fn answer(key: &str, address: Option<&Address>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(settings(key, address).to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(KEEP));
    // The same for every page, and no secret.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn settings(key: &str, address: Option<&Address>) -> Value {
    let mut segment = json!({ "apiKey": key, "addBundledMetadata": true, "unbundledIntegrations": [], "maybeBundledConfigIds": {} });
    let mut metrics = json!({ "sampleRate": 0 });
    if let Some(Address { scheme, host }) = address {
        let api = format!("{host}/v1");
        segment["apiHost"] = json!(api);
        segment["protocol"] = json!(scheme);
        metrics["host"] = json!(api);
        metrics["protocol"] = json!(scheme);
    }
    json!({
        "integrations": { "Segment.io": segment },
        "plan": {
            "track": { "__default": { "enabled": true, "integrations": {} } },
            "identify": { "__default": { "enabled": true } },
            "group": { "__default": { "enabled": true } },
        },
        "metrics": metrics,
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": false,
        "analyticsNextEnabled": true,
    })
}

/// Where a client reached the service.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// http or https.
    pub scheme: &'static str,
    /// The name, with the port unless it is the usual one.
    pub host: String,
}

impl Address {
    /// The address that a request was sent to; `behind_proxy`: a trusted proxy handed the request on, and says where it
    /// was sent.
    pub fn of(head: &Parts, behind_proxy: bool) -> Option<Self> {
        let forwarded = |name: &str| first(&head.headers, name).filter(|_| behind_proxy);
        let scheme = forwarded("x-forwarded-proto").or(head.uri.scheme_str());
        let scheme = if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { "https" } else { "http" };
        let host =
            forwarded("x-forwarded-host").or_else(|| head.uri.authority().map(Authority::as_str)).or(first(&head.headers, "host"))?;
        is_host(host).then(|| Self { scheme, host: host.to_owned() })
    }
}

/// The first element of a header that lists what each proxy said.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim).filter(|text| !text.is_empty())
}

/// True for a name or an address with or without a port, and nothing else.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::Request;

    use super::*;

    fn address(uri: &str, headers: &[(&str, &str)], behind_proxy: bool) -> Option<String> {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        let Address { scheme, host } = Address::of(&request.body(()).unwrap().into_parts().0, behind_proxy)?;
        Some(format!("{scheme}://{host}"))
    }

    #[test]
    fn events_go_back_to_where_the_settings_came_from() {
        let path = "/v1/projects/k/settings";
        assert_eq!(address(path, &[("host", "127.0.0.1:8080")], false).as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(address(&format!("https://api.example{path}"), &[], false).as_deref(), Some("https://api.example"));
        let proxied = [("host", "inner"), ("x-forwarded-host", "stats.example, x"), ("x-forwarded-proto", "https")];
        assert_eq!(address(path, &proxied, true).as_deref(), Some("https://stats.example"));
        assert_eq!(address(path, &proxied, false).as_deref(), Some("http://inner"));
        assert_eq!(address(path, &[("host", "a@b")], false), None);
        assert_eq!(address(path, &[("host", "a/b?c")], false), None);
        assert_eq!(address(path, &[], false), None);
    }
}
