//! A proxy before a bucket's server: it hands on, refuses, or is slow.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use reqwest::{Client, StatusCode};
use tokio::{net::TcpListener, task::AbortHandle, time::sleep};

/// Requests refused one after the other: as many as a client tries one call.
const RUN: usize = 4;

/// What the proxy does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Hands them on.
    Pass,
    /// Answers a third of them 503; every other of these was done before.
    RefuseAThird,
    /// Hands them on after a pause.
    Slow(Duration),
}

/// A proxy on a port of loopback, which ends with this value.
pub struct Proxy {
    /// Its address, without a slash at the end.
    pub url: String,
    state: Arc<Between>,
    running: AbortHandle,
}

struct Between {
    server: String,
    client: Client,
    mode: Mutex<Mode>,
    /// Requests since the mode was set.
    asked: AtomicUsize,
}

impl Proxy {
    /// Starts before the server at `server`, and hands on.
    pub async fn start(server: &str) -> Self {
        let client = Client::builder().no_proxy().build().expect("an HTTP client");
        let state = Between { server: server.to_owned(), client, mode: Mutex::new(Mode::Pass), asked: AtomicUsize::new(0) };
        let state = Arc::new(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let running = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { url, state, running }
    }

    /// From now on does as `mode` says.
    pub fn set(&self, mode: Mode) {
        *self.state.mode.lock().expect("the mode") = mode;
        self.state.asked.store(0, Ordering::Relaxed);
    }

    /// Requests since [`Proxy::set`].
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn answer(State(state): State<Arc<Between>>, request: Request) -> Response {
    let mode = *state.mode.lock().expect("the mode");
    let count = state.asked.fetch_add(1, Ordering::Relaxed);
    match mode {
        Mode::RefuseAThird if (count / RUN).is_multiple_of(3) => {
            if count.is_multiple_of(2) {
                state.hand_on(request).await;
            }
            let body = "<Error><Code>SlowDown</Code><Message>told to refuse</Message></Error>";
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
        Mode::Slow(pause) => {
            sleep(pause).await;
            state.hand_on(request).await
        }
        Mode::Pass | Mode::RefuseAThird => state.hand_on(request).await,
    }
}

impl Between {
    /// The server's answer. What was signed stays as it is: the path, the query and the headers, `Host` too.
    async fn hand_on(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
        let url = format!("{}{}", self.server, head.uri);
        match self.client.request(head.method, url).headers(head.headers).body(body).send().await {
            Ok(answer) => axum::http::Response::from(answer).map(Body::new),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}
