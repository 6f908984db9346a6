//! The Lambda: API Gateway's HTTP events to [`Collector::handle`].

use std::{net::IpAddr, sync::Arc};

use clickstream_collect::collector_from_env;
use lambda_http::{Body, Error, Request, RequestExt as _, Response, http::Uri, request::RequestContext, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let (collector, sites) = collector_from_env().await?;
    let (collector, sites) = (Arc::new(collector), Arc::new(sites));
    run(service_fn(move |request: Request| {
        let (collector, sites) = (Arc::clone(&collector), Arc::clone(&sites));
        async move {
            sites.before_invocation().await;
            let peer = source_ip(&request);
            let path = request.raw_http_path().to_owned();
            let (mut head, body) = request.into_parts();
            // The path as the client sent it, without the gateway's stage.
            if !path.is_empty() {
                let query = head.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
                let mut address = head.uri.into_parts();
                address.path_and_query = Some(format!("{path}{query}").parse()?);
                head.uri = Uri::from_parts(address)?;
            }
            let body = match body {
                Body::Text(text) => text.into(),
                Body::Binary(bytes) => bytes.into(),
                _ => bytes::Bytes::new(),
            };
            let (head, body) = collector.handle(http::Request::from_parts(head, body), peer).await.into_parts();
            Ok::<_, Error>(Response::from_parts(head, Body::from(body.to_vec())))
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}

fn source_ip(request: &Request) -> Option<IpAddr> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref()?.parse().ok(),
        _ => None,
    }
}
