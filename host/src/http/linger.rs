//! Bodies that are refused half read.
//!
//! A connection that is closed while more comes is reset, and the reset takes the answer from the client. So what is
//! left of a body is read and thrown away for a while: by then the client has its answer and stops.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How long the rest is read.
const FOR: Duration = Duration::from_secs(5);

/// A request's body; what is not read of it when it is dropped is read and thrown away.
pub struct Lingering(Option<Incoming>);

impl Lingering {
    /// Reads `body`.
    pub fn new(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => return Poll::Ready(None),
        };
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(mut body) = self.0.take().filter(|body| !body.is_end_stream()) {
            tokio::spawn(tokio::time::timeout(FOR, async move { while let Some(Ok(_)) = body.frame().await {} }));
        }
    }
}
