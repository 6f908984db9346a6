//! `GET /v1/live`: events as they arrive (server-sent events, <https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use clickstream_telemetry::{LiveEvent, LiveFeed, metric};
use futures::{StreamExt as _, stream, stream::BoxStream};
use http::{HeaderValue, Response, header};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

use crate::Answer;

/// A comment is sent after this long without events, so that proxies keep the connection.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// The stream, with a comment after each `heartbeat` without events, of one site if `site` is given. A reader too slow for it is told how many events it missed.
pub fn live(feed: &LiveFeed, site: Option<&str>, heartbeat: Duration) -> Answer {
    let site = site.map(str::to_owned);
    let events = stream::unfold((feed.watch(), site), move |(mut feed, site)| async move {
        next(&mut feed, site.as_deref(), heartbeat).await.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), (feed, site)))
    });
    let hello = stream::iter([Ok(Bytes::from_static(b"retry: 2000\n\n"))]);
    let body: BoxStream<'static, Result<Bytes, Infallible>> = hello.chain(events).boxed();
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Answer::Stream(response)
}

/// The next message; events of other sites put no heartbeat off.
async fn next(feed: &mut Receiver<Arc<LiveEvent>>, site: Option<&str>, heartbeat: Duration) -> Option<String> {
    let heartbeat = Instant::now() + heartbeat;
    loop {
        match tokio::time::timeout_at(heartbeat, feed.recv()).await {
            Err(_) => return Some(": still here\n\n".to_owned()),
            Ok(Ok(event)) if site.is_some_and(|s| event.site_id.as_deref() != Some(s)) => {}
            Ok(Ok(event)) => match serde_json::to_string(&*event) {
                Ok(data) => return Some(format!("event: event\ndata: {data}\n\n")),
                Err(error) => tracing::error!(%error, "an event cannot be shown"),
            },
            Ok(Err(RecvError::Lagged(missed))) => {
                metrics::counter!(metric::LIVE_MISSED).increment(missed);
                return Some(format!("event: lagged\ndata: {{\"missed\":{missed}}}\n\n"));
            }
            Ok(Err(RecvError::Closed)) => return None,
        }
    }
}
