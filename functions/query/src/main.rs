//! The Lambda: API Gateway's HTTP events to [`clickstream_query::Query::handle`]. The live stream needs a connection that stays open,
//! which a function has not; it is answered by the host alone.

use std::sync::Arc;

use clickstream_query::{Answer, QueryError, query_from_env};
use lambda_http::{Body, Error, Request, RequestExt as _, Response, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let query = Arc::new(query_from_env().await?);
    run(service_fn(move |request: Request| {
        let query = Arc::clone(&query);
        async move {
            let path = request.raw_http_path().to_owned();
            let (mut head, _) = request.into_parts();
            if !path.is_empty() {
                let parameters = head.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
                head.uri = format!("{path}{parameters}").parse()?;
            }
            let response = match query.handle(http::Request::from_parts(head, bytes::Bytes::new())).await {
                Answer::Whole(response) => response,
                Answer::Stream(_) => QueryError::NoStream.response(),
            };
            let (head, body) = response.into_parts();
            Ok::<_, Error>(Response::from_parts(head, Body::from(body.to_vec())))
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
