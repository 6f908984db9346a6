//! Events in the address of an image.

use crate::service::{assert_problem, service};
use base64::Engine as _;
use bytes::Bytes;
use clickstream_event::Action;
use clickstream_log::EVENTS;
use http::{Method, Request, Response};

fn get(address: &str) -> Request<Bytes> {
    Request::get(address).header("accept", "image/avif,image/webp,*/*").body(Bytes::new()).unwrap()
}

fn base64(json: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(json).replace('+', "%2B")
}

fn problem(response: &Response<Bytes>) -> &str {
    response.headers().get("x-clickstream-problem").map_or("", |value| value.to_str().unwrap())
}

/// True for the whole image, not to be kept.
fn is_image(response: &Response<Bytes>) -> bool {
    let headers = response.headers();
    let body = response.body();
    headers["content-type"] == "image/gif"
        && headers["cache-control"] == "no-store"
        && body.len() == 43
        && body.starts_with(b"GIF89a\x01\x00\x01\x00")
        && body.ends_with(b";")
}

#[tokio::test]
async fn an_event_in_base64_and_one_in_parameters_are_taken() {
    let (collector, log) = service();
    let json = r#"{"messageId":"1","event":"element_viewed","anonymousId":"a","properties":{"element_id":"hero"},"writeKey":"k"}"#;
    for address in [
        format!("/pixel/v1/track?data={}", base64(json)),
        format!("/v1/pixel/track?writeKey=k&data={}&cache=7", base64(json)),
        "/pixel/v1/t?writeKey=k&messageId=1&event=element_viewed&anonymousId=a&properties.element_id=hero&properties.x=17".to_owned(),
    ] {
        let response = collector.handle(get(&address), None).await;
        assert_eq!((response.status().as_u16(), problem(&response)), (200, ""), "{address}");
        assert!(is_image(&response), "{response:?}");
    }
    assert_eq!(collector.handle(get("/pixel/v1/page?writeKey=k&userId=u&name=Mail"), None).await.status(), 200);
    let events = log.events();
    assert_eq!(events.len(), 4);
    assert!(events[..3].iter().all(|e| e.event_id == events[0].event_id && e.action == Action::View));
    assert_eq!((events[2].element_id.as_deref(), events[2].x), (Some("hero"), Some(17)));
    assert_eq!((events[3].action, events[3].name.as_deref()), (Action::Page, Some("Mail")));
}

#[tokio::test]
async fn who_wants_no_image_gets_none() {
    let (collector, log) = service();
    let address = "/pixel/v1/page?writeKey=k&userId=u";
    let response = collector.handle(get(&format!("{address}&format=204")), None).await;
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    let request = Request::get(address).header("accept", "application/json").body(Bytes::new()).unwrap();
    let response = collector.handle(request, None).await;
    assert_eq!((response.status().as_u16(), response.headers().get("content-type")), (204, None));
    assert_eq!(log.events().len(), 2);
}

#[tokio::test]
async fn a_page_shows_the_image_whatever_is_wrong_with_the_event() {
    let (collector, log) = service();
    for (query, says) in [
        ("writeKey=x&userId=u", "write_key_unknown: "),
        ("userId=u", "write_key_missing: "),
        ("writeKey=k&data=%25", "pixel_wrong: "),
        ("writeKey=k&data=e30x", "pixel_wrong: "),
        ("writeKey=k&a=1&a.b=2", "pixel_wrong: "),
    ] {
        let response = collector.handle(get(&format!("/pixel/v1/page?{query}")), None).await;
        assert!(response.status() == 200 && is_image(&response), "{query}: {response:?}");
        assert!(problem(&response).starts_with(says), "{query}: {}", problem(&response));
        // A program is told by the status.
        let response = collector.handle(get(&format!("/pixel/v1/page?{query}&format=204")), None).await;
        assert_problem(&response, if says.starts_with("write") { 401 } else { 400 }, says.trim_end_matches(": "));
    }
    assert!(log.events().is_empty() && log.rejections().is_empty());
    // An event that is rejected is kept as a rejection.
    let response = collector.handle(get("/pixel/v1/page?writeKey=k"), None).await;
    assert!(is_image(&response) && problem(&response).starts_with("identity_missing: "), "{response:?}");
    assert_eq!(log.rejections().len(), 1);
}

#[tokio::test]
async fn while_nothing_can_be_kept_the_image_says_so() {
    let (collector, log) = service();
    log.fill(Some(EVENTS));
    let response = collector.handle(get("/pixel/v1/page?writeKey=k&userId=u"), None).await;
    assert!(response.status() == 503 && is_image(&response), "{response:?}");
    assert_eq!(response.headers()["retry-after"], "5");
}

#[tokio::test]
async fn to_ask_for_the_head_is_no_event() {
    let (collector, log) = service();
    let mut request = get("/pixel/v1/page?writeKey=k&userId=u");
    *request.method_mut() = Method::HEAD;
    assert_eq!(collector.handle(request.clone(), None).await.status(), 200);
    *request.method_mut() = Method::POST;
    assert_problem(&collector.handle(request, None).await, 405, "method_not_allowed");
    assert!(log.events().is_empty());
}

#[tokio::test]
async fn a_site_that_lists_its_origins_takes_images_of_their_pages() {
    let (collector, log) = service();
    for (referer, taken) in [
        ("https://closed.example/a?b", true),
        ("https://closed.example", true),
        ("https://any.example/", false),
        ("https://closed.example.evil/", false),
        ("no address", true),
    ] {
        let before = log.events().len();
        let mut request = get("/pixel/v1/page?writeKey=c&userId=u");
        request.headers_mut().insert("referer", referer.parse().unwrap());
        let response = collector.handle(request, None).await;
        assert!(is_image(&response));
        assert_eq!(log.events().len() > before, taken, "{referer}");
        assert_eq!(problem(&response).starts_with("origin_refused"), !taken, "{referer}");
    }
    assert_eq!(collector.handle(get("/pixel/v1/page?writeKey=c&userId=u"), None).await.headers().get("x-clickstream-problem"), None);
}
