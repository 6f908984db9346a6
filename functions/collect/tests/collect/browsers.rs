//! What pages may ask, send and read.

use crate::service::{assert_problem, post, service};
use bytes::Bytes;
use http::{Request, Response};

const PAGE: &str = "https://any.example";

fn ask(path: &str, origin: &str) -> Request<Bytes> {
    Request::options(path).header("origin", origin).header("access-control-request-method", "POST").body(Bytes::new()).unwrap()
}

fn from(page: &str, mut request: Request<Bytes>) -> Request<Bytes> {
    request.headers_mut().insert("origin", page.parse().unwrap());
    request
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_reads_every_refusal_but_that_of_its_own_origin() {
    let (collector, log) = service();
    let wrong = [
        (post("/v1/batch?writeKey=k", "{"), 400),
        (post("/v1/batch?writeKey=k", "{}"), 422),
        (post("/v1/batch?writeKey=x", "{}"), 401),
        (Request::put("/v1/batch").body(Bytes::new()).unwrap(), 405),
        (Request::post("/v1/batch?writeKey=k").header("content-type", "image/png").body(Bytes::new()).unwrap(), 415),
        (post("/v1/batch?writeKey=k", vec![b' '; (1 << 20) + 1]), 413),
    ];
    for (request, status) in wrong {
        let response = collector.handle(from(PAGE, request), None).await;
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "access-control-allow-origin"), PAGE, "{status}");
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
    }
    let refused = collector.handle(from(PAGE, post("/v1/batch?writeKey=c", "{}")), None).await;
    assert_problem(&refused, 403, "origin_refused");
    assert_eq!(header(&refused, "access-control-allow-origin"), "");
    assert!(log.events().is_empty() && log.rejections().is_empty());
}

#[tokio::test]
async fn a_page_reads_when_to_come_again() {
    let (collector, log) = service();
    log.fill(Some(clickstream_log::EVENTS));
    let event = r#"{"event":"e","anonymousId":"a"}"#;
    let response = collector.handle(from(PAGE, post("/v1/t?writeKey=k", event)), None).await;
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "5"));
    assert!(header(&response, "access-control-expose-headers").contains("Retry-After"));
    assert_eq!(header(&response, "vary"), "Origin");
}

#[tokio::test]
async fn a_page_of_the_internet_may_send_into_a_private_network_if_it_asks() {
    let (collector, _) = service();
    let mut request = ask("/v1/batch", PAGE);
    assert_eq!(header(&collector.handle(request.clone(), None).await, "access-control-allow-private-network"), "");
    request.headers_mut().insert("access-control-request-private-network", "true".parse().unwrap());
    assert_eq!(header(&collector.handle(request, None).await, "access-control-allow-private-network"), "true");
}

#[tokio::test]
async fn a_preflight_names_the_methods_of_its_path() {
    let (collector, _) = service();
    for (path, methods) in [
        ("/v1/t", "POST, OPTIONS"),
        ("/v1/m", "POST, OPTIONS"),
        ("/pixel/v1/track", "GET, HEAD, OPTIONS"),
        ("/v1/projects/k/settings", "GET, HEAD, OPTIONS"),
    ] {
        let response = collector.handle(ask(path, PAGE), None).await;
        assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-methods")), (204, methods), "{path}");
    }
}

#[tokio::test]
async fn a_beacon_needs_no_preflight() {
    let (collector, log) = service();
    let event = r#"{"event":"e","anonymousId":"a"}"#;
    for kind in ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "TEXT/PLAIN"] {
        let request = Request::post("/v1/t?writeKey=k").header("content-type", kind).body(Bytes::from(event)).unwrap();
        assert_eq!(collector.handle(from(PAGE, request), None).await.status(), 200, "{kind}");
    }
    // A sandboxed frame has no origin of its own.
    let response = collector.handle(from("null", post("/v1/t?writeKey=k", event)), None).await;
    assert_eq!((response.status().as_u16(), header(&response, "access-control-allow-origin")), (200, "null"));
    assert_eq!(log.events().len(), 4);
}
