//! `GET /v1/live`: events as they arrive (server-sent events, <https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use clickstream_telemetry::LiveEvent;
use futures::{StreamExt as _, stream, stream::BoxStream};
use http::{HeaderValue, Response, header};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{Answer, QueryContext};

/// A comment is sent after this long without events, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The stream, of one site if `site` is given. A reader too slow for it is told how many events it missed.
pub fn live(context: &QueryContext, site: Option<&str>) -> Answer {
    let site = site.map(str::to_owned);
    let events = stream::unfold((context.feed.watch(), site), |(mut feed, site)| async move {
        next(&mut feed, site.as_deref()).await.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), (feed, site)))
    });
    let hello = stream::iter([Ok(Bytes::from_static(b"retry: 2000\n\n"))]);
    let body: BoxStream<'static, Result<Bytes, Infallible>> = hello.chain(events).boxed();
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answer::Stream(response)
}

async fn next(feed: &mut Receiver<Arc<LiveEvent>>, site: Option<&str>) -> Option<String> {
    loop {
        match tokio::time::timeout(HEARTBEAT, feed.recv()).await {
            Err(_) => return Some(": still here\n\n".to_owned()),
            Ok(Ok(event)) => {
                if site.is_none_or(|s| event.site_id.as_deref() == Some(s)) {
                    let data = serde_json::to_string(&*event).unwrap_or_default();
                    return Some(format!("event: event\ndata: {data}\n\n"));
                }
            }
            Ok(Err(RecvError::Lagged(missed))) => return Some(format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n")),
            Ok(Err(RecvError::Closed)) => return None,
        }
    }
}
