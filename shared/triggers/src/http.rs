//! HTTP requests, whoever brings them: API Gateway's HTTP API (payload 2.0) and REST API (1.0), a function URL (2.0), an
//! Application Load Balancer with and without multi-value headers. Each gets its answer in its own form.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use lambda_http::{
    Adapter, Body, RequestExt as _,
    request::{LambdaRequest, RequestContext},
};
use lambda_runtime::{LambdaEvent, Service as _, run, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{Deadline, Error, Function};

/// What may not stand in a path; gateways hand over paths that are partly decoded.
const NOT_IN_A_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

impl Function {
    /// As [`Function::serve`], for requests over HTTP: `work` answers a request and who sent it.
    pub async fn serve_http<F, W>(self, work: F) -> Result<(), Error>
    where
        F: Fn(Request<Bytes>, Option<IpAddr>) -> W + Sync,
        W: Future<Output = Response<Bytes>> + Send,
    {
        let (function, work) = (&self, &work);
        let answer = service_fn(move |request: lambda_http::Request| async move {
            let (request, peer) = taken(request)?;
            Ok::<_, Error>(given(work(request, peer).await))
        });
        let adapter = Adapter::from(answer);
        run(service_fn(move |event: LambdaEvent<LambdaRequest>| {
            let mut adapter = adapter.clone();
            async move {
                let LambdaEvent { payload, context } = event;
                let deadline = Deadline::of_epoch_ms(context.deadline);
                let answered = adapter.call(LambdaEvent::new(with_every_header(payload), context.clone()));
                function.invocation(&context, deadline, answered).await
            }
        }))
        .await
    }
}

/// A request of payload 1.0 and of a load balancer has each header once under `headers`, with its last value, and with all
/// of them under `multiValueHeaders`: these count.
fn with_every_header(request: LambdaRequest) -> LambdaRequest {
    let without = |single: &mut HeaderMap, all: &HeaderMap| {
        // The address of the request is made of this one.
        let doubled: Vec<_> = single.keys().filter(|name| **name != header::HOST && all.contains_key(*name)).cloned().collect();
        for name in doubled {
            single.remove(name);
        }
    };
    match request {
        LambdaRequest::ApiGatewayV1(mut request) => {
            without(&mut request.headers, &request.multi_value_headers);
            LambdaRequest::ApiGatewayV1(request)
        }
        LambdaRequest::Alb(mut request) => {
            without(&mut request.headers, &request.multi_value_headers);
            if let Some(host) = request.multi_value_headers.get(header::HOST).filter(|_| !request.headers.contains_key(header::HOST)) {
                request.headers.insert(header::HOST, host.clone());
            }
            LambdaRequest::Alb(request)
        }
        other => other,
    }
}

/// A request with the path that the client sent, without the gateway's stage, and the address that it came from.
fn taken(request: lambda_http::Request) -> Result<(Request<Bytes>, Option<IpAddr>), Error> {
    let (peer, path) = (peer(&request), path(&request));
    let (mut head, body) = request.into_parts();
    if !path.is_empty() {
        let query = head.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        let mut address = head.uri.into_parts();
        address.path_and_query = Some(format!("{}{query}", utf8_percent_encode(&path, NOT_IN_A_PATH)).parse()?);
        head.uri = Uri::from_parts(address)?;
    }
    let body = match body {
        Body::Text(text) => text.into(),
        Body::Binary(bytes) => bytes.into(),
        _ => Bytes::new(),
    };
    Ok((Request::from_parts(head, body), peer))
}

fn path(request: &lambda_http::Request) -> String {
    let path = request.raw_http_path();
    // Payload 2.0 has the stage in the path where the API is asked by AWS's own name for it.
    if let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref()
        && let Some(stage) = context.stage.as_deref().filter(|stage| *stage != "$default")
        && context.domain_name.as_deref().is_some_and(|name| name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn"))
        && let Some(rest) = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage))
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
    }
    path.to_owned()
}

/// Who talked to the gateway. A load balancer says it in the last address of `X-Forwarded-For`, which it adds itself.
fn peer(request: &lambda_http::Request) -> Option<IpAddr> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.as_deref()?.parse().ok(),
        RequestContext::Alb(_) => {
            let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            let last = forwarded.rsplit(',').next()?.trim();
            last.parse().ok().or_else(|| Some(last.parse::<SocketAddr>().ok()?.ip()))
        }
        _ => None,
    }
}

/// An answer as `lambda_http` takes it. A header that stands there several times stands there once, with all its values:
/// who takes answers without multi-value headers would else get one of them.
fn given(response: Response<Bytes>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let names: Vec<_> = head.headers.keys().filter(|name| *name != header::SET_COOKIE).cloned().collect();
    for name in names {
        let values: Vec<&[u8]> = head.headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if values.len() > 1
            && let Ok(joined) = HeaderValue::from_bytes(&values.join(&b", "[..]))
        {
            head.headers.insert(name, joined);
        }
    }
    Response::from_parts(head, Body::from(body.to_vec()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// What becomes of a recorded event.
    fn of(fixture: &str) -> (Request<Bytes>, Option<IpAddr>) {
        let request: LambdaRequest = serde_json::from_str(fixture).unwrap();
        taken(with_every_header(request).into()).unwrap()
    }

    fn all<'a>(request: &'a Request<Bytes>, name: &str) -> Vec<&'a str> {
        request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn the_http_api_hands_over_path_query_cookies_and_visitor() {
        let (request, peer) = of(include_str!("../fixtures/http-api-v2.json"));
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/batch"));
        assert_eq!(request.uri().query(), Some("writeKey=k3y&tag=a&tag=b%20c"));
        assert_eq!(all(&request, "cookie"), ["theme=dark; seen=1"]);
        assert_eq!((peer, request.body().as_ref()), (Some([203, 0, 113, 7].into()), &br#"{"batch":[]}"#[..]));
    }

    #[test]
    fn a_stage_is_no_part_of_the_path() {
        let staged =
            include_str!("../fixtures/http-api-v2.json").replace("$default", "live").replace("\"/v1/batch\"", "\"/live/v1/batch\"");
        assert_eq!(of(&staged).0.uri().path(), "/v1/batch");
        let own_domain = staged.replace("a1b2c3.execute-api.eu-central-1.amazonaws.com", "events.example");
        assert_eq!(of(&own_domain).0.uri().path(), "/live/v1/batch");
    }

    #[test]
    fn the_rest_api_hands_over_every_value_of_a_header() {
        let (request, peer) = of(include_str!("../fixtures/rest-api-v1.json"));
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/batch"));
        assert_eq!(request.uri().query().map(|query| query.contains("tag=a") && query.contains("tag=b")), Some(true));
        assert_eq!(all(&request, "x-forwarded-for"), ["198.51.100.9", "203.0.113.7, 10.0.0.9"]);
        assert_eq!(all(&request, "host"), ["a1b2c3.execute-api.eu-central-1.amazonaws.com"]);
        assert_eq!((peer, request.body().as_ref()), (Some([203, 0, 113, 7].into()), &br#"{"batch":[]}"#[..]));
    }

    #[test]
    fn a_function_url_is_as_the_http_api() {
        let (request, peer) = of(include_str!("../fixtures/function-url.json"));
        assert_eq!((request.uri().path(), request.uri().query()), ("/v1/batch", Some("writeKey=k3y")));
        assert_eq!((peer, request.body().as_ref()), (Some([203, 0, 113, 7].into()), &br#"{"batch":[]}"#[..]));
    }

    #[test]
    fn a_load_balancer_says_who_came_last() {
        for fixture in [include_str!("../fixtures/alb.json"), include_str!("../fixtures/alb-multi-value.json")] {
            let (request, peer) = of(fixture);
            assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/batch"));
            assert!(
                request.uri().query().unwrap().contains("tag=b%20c") || request.uri().query().unwrap().contains("tag=b+c"),
                "{request:?}"
            );
            assert_eq!(peer, Some([203, 0, 113, 7].into()), "{request:?}");
            assert_eq!(request.body().as_ref(), br#"{"batch":[]}"#);
            assert_eq!(all(&request, "host"), ["events.example"]);
        }
        let (request, _) = of(include_str!("../fixtures/alb-multi-value.json"));
        assert_eq!(all(&request, "accept-language"), ["de", "en;q=0.5"]);
    }

    #[test]
    fn a_path_that_was_decoded_is_one_still() {
        let event = include_str!("../fixtures/rest-api-v1.json").replace("\"/v1/batch\"", "\"/v1/users/ä b?/events\"");
        assert_eq!(of(&event).0.uri().path(), "/v1/users/%C3%A4%20b%3F/events");
    }

    #[test]
    fn a_header_that_stands_twice_is_answered_once() {
        let response = Response::builder().header("vary", "origin").header("vary", "accept").header("set-cookie", "a=1");
        let response = given(response.header("set-cookie", "b=2").body(Bytes::new()).unwrap());
        assert_eq!(response.headers().get_all("vary").iter().collect::<Vec<_>>(), ["origin, accept"]);
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    }
}
