//! Which path goes to which function.

use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use clickstream_query::Answer;
use clickstream_sites::LiveSites;
use clickstream_telemetry::{Function, Origin, watched_by};
use http::{HeaderMap, Method, Request, Response as Answered, StatusCode, header};
use ipnet::IpNet;
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    erasures, export, guard, inbox, invoke, ledger, openapi, pages,
    problem::{not_allowed, problem},
    sigv4::SigningKey,
    sites, span, told,
};
use crate::{
    config::Config,
    process::Process,
    up::{Functions, Parts, caught::unwound, status::status},
};

/// A body that is kept in memory must come within this time: a slow one would hold its connection for ever.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Longest address, bytes; ours take a few hundred.
const LONGEST_ADDRESS: usize = 8 << 10;

/// Exports at once. Each may take 400 MB in ClickHouse.
const MOST_EXPORTS: usize = 2;

/// Everything a request can reach.
pub struct App {
    /// The embedded adapters.
    pub parts: Arc<Parts>,
    /// The functions.
    pub functions: Arc<Functions>,
    /// The sites.
    pub sites: Arc<LiveSites>,
    /// `ADMIN_TOKEN`.
    pub token: Option<String>,
    /// Keys of AWS's clients that may invoke functions.
    pub signing_keys: Vec<SigningKey>,
    /// `WORK`: false where other hosts do what HTTP does not trigger.
    pub works: bool,
    /// `NOTIFICATIONS_TOKEN`.
    pub notifications_token: Option<String>,
    /// Exports that may run at once: each takes memory of ClickHouse.
    pub exports: Arc<Semaphore>,
    /// Work that goes on after an answer, on the runtime of all other work.
    pub tasks: TaskTracker,
    /// That runtime.
    pub runtime: Handle,
    metrics: clickstream_telemetry::PrometheusHandle,
    process: Process,
    /// Whose traces are continued, beside this machine's own.
    trusted_proxies: Vec<IpNet>,
    /// The service ends.
    pub stop: CancellationToken,
}

impl App {
    /// The application of a started service.
    pub fn new(
        config: &Config,
        parts: Arc<Parts>,
        sites: Arc<LiveSites>,
        functions: Arc<Functions>,
        metrics: clickstream_telemetry::PrometheusHandle,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        Self {
            parts,
            functions,
            sites,
            token: config.admin_token.clone(),
            signing_keys: config.signing_keys.clone(),
            works: config.work,
            notifications_token: config.servers.notifications_token.clone(),
            exports: Arc::new(Semaphore::new(MOST_EXPORTS)),
            tasks,
            runtime: Handle::current(),
            metrics,
            process: Process::described(),
            trusted_proxies: config.trusted_proxies.clone(),
            stop,
        }
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request<Body>, peer: IpAddr) -> Response {
        let ip = peer.to_canonical();
        let believed = ip.is_loopback() || self.trusted_proxies.iter().any(|net| net.contains(&ip));
        span::traced(request, believed, |request| async move {
            let answer = unwound(self.answer(request, peer)).await;
            answer.unwrap_or_else(|why| problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", why))
        })
        .await
    }

    async fn answer(&self, request: Request<Body>, peer: IpAddr) -> Response {
        let path = request.uri().path().to_owned();
        if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS) {
            return too_long(&path, request.headers());
        }
        if clickstream_collect::collects(&path) {
            return self.collect(request, peer).await;
        }
        if let Some(rest) = path.strip_prefix("/v1/inbox/") {
            return inbox::put(self, rest, request).await;
        }
        if path == "/v1/sites" && *request.method() == Method::PUT {
            return sites::put(self, request).await;
        }
        if path == "/v1/erasures" || path.starts_with("/v1/erasures/") {
            return erasures::erasures(self, request).await;
        }
        if path == "/v1/notifications" {
            return told::told(self, request).await;
        }
        if path.starts_with("/2015-03-31/") {
            return invoke::invoke(self, request).await;
        }
        if *request.method() != Method::GET && *request.method() != Method::HEAD {
            return match methods(&path) {
                Some(methods) => not_allowed(methods, &format!("this path answers {methods}")),
                None => self.ask(request.into_parts().0).await,
            };
        }
        match path.as_str() {
            path if export::of_person(path).is_some() => {
                erasures::export(self, &request.into_parts().0, export::of_person(path).unwrap_or_default())
            }
            "/health" => "ok\n".into_response(),
            "/ready" => self.ready(),
            "/openapi.json" => description(),
            "/favicon.ico" => StatusCode::NO_CONTENT.into_response(),
            path if path == "/metrics" || path.starts_with("/v1/") => match guard::reader(request.headers(), self.token.as_deref()) {
                Ok(()) => self.read(request.into_parts().0).await,
                Err(refusal) => *refusal,
            },
            path => pages::page(path).unwrap_or_else(|| not_found(path)),
        }
    }

    async fn collect(&self, request: Request<Body>, peer: IpAddr) -> Response {
        let (parts, body) = request.into_parts();
        match body_within(body, clickstream_collect::Limits::default().max_body_bytes).await {
            Ok(bytes) => {
                let work = self.functions.collect.handle(Request::from_parts(parts, bytes), Some(peer));
                watched_by(Function::Collect, Origin::Current, is_ok, work).await.map(Body::from)
            }
            Err(mut refusal) => {
                clickstream_collect::allow_origin(&parts.headers, &mut refusal);
                *refusal
            }
        }
    }

    async fn read(&self, head: http::request::Parts) -> Response {
        let path = head.uri.path().to_owned();
        match path.as_str() {
            "/metrics" => {
                self.process.look(&self.parts);
                self.metrics.render().into_response()
            }
            "/v1/sites" => sites::list(self),
            "/v1/status" => match status(&self.parts, &self.sites).await {
                Ok(status) => axum::Json(status).into_response(),
                Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, "part_unavailable", format!("{error:#}")),
            },
            "/v1/export" => export::export(self, head.uri.query().unwrap_or_default()),
            "/v1/ledger" => ledger::ledger(self, head.uri.query().unwrap_or_default()).await,
            path if path.starts_with("/v1/receipts/") => inbox::receipt(self, path).await,
            _ => self.ask(head).await,
        }
    }

    /// What the function query answers, which knows its own paths.
    async fn ask(&self, head: http::request::Parts) -> Response {
        let work = self.functions.query.handle(Request::from_parts(head, Bytes::new()));
        let is_answer = |answer: &Answer| match answer {
            Answer::Whole(response) => is_ok(response),
            Answer::Stream(response) => is_ok(response),
        };
        match watched_by(Function::Query, Origin::Current, is_answer, work).await {
            Answer::Whole(response) => response.map(Body::from),
            Answer::Stream(response) => {
                let stop = self.stop.clone();
                response.map(|stream| Body::from_stream(futures::StreamExt::take_until(stream, stop.cancelled_owned())))
            }
        }
    }

    fn ready(&self) -> Response {
        if self.stop.is_cancelled() {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the service is stopping");
        }
        "ready\n".into_response()
    }
}

/// An answer that is not this side's failure.
fn is_ok<T>(response: &Answered<T>) -> bool {
    !response.status().is_server_error()
}

/// The whole body, or a refusal before it grows past `limit` bytes or takes longer than [`BODY_WITHIN`].
pub async fn body_within(body: Body, limit: usize) -> Result<Bytes, Box<Response>> {
    let Ok(whole) = tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, limit)).await else { return Err(Box::new(too_slow())) };
    match whole {
        Ok(bytes) => Ok(bytes),
        Err(error)
            if std::error::Error::source(&error).is_some_and(<dyn std::error::Error + 'static>::is::<http_body_util::LengthLimitError>) =>
        {
            Err(Box::new(problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body is over {limit} bytes: send less at once"),
            )))
        }
        Err(_) => Err(Box::new(problem(StatusCode::BAD_REQUEST, "body_cut", "the body ended before its announced length: send it whole"))),
    }
}

/// The refusal of a body that does not come.
fn too_slow() -> Response {
    let detail = format!("the body did not come within {} s: send it faster, or fewer events at once", BODY_WITHIN.as_secs());
    problem(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
}

/// The refusal of an address that is too long; a page that sends events reads it.
fn too_long(path: &str, headers: &HeaderMap) -> Response {
    let detail = format!("the address takes more than {LONGEST_ADDRESS} bytes: events belong into the body");
    let mut refusal = problem(StatusCode::URI_TOO_LONG, "address_too_long", detail);
    if clickstream_collect::collects(path) {
        clickstream_collect::allow_origin(headers, &mut refusal);
    }
    refusal
}

fn description() -> Response {
    static TEXT: LazyLock<serde_json::Result<String>> = LazyLock::new(openapi::text);
    match &*TEXT {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string()),
    }
}

fn not_found(path: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "not_found", format!("nothing is at {path}; docs/api lists the paths"))
}

/// What the host's own paths answer.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        "/v1/sites" => Some("GET, HEAD, PUT"),
        "/health" | "/ready" | "/metrics" | "/openapi.json" | "/v1/status" | "/v1/export" | "/v1/ledger" => Some("GET, HEAD"),
        _ => (path.starts_with("/v1/receipts/") || export::of_person(path).is_some() || pages::page(path).is_some()).then_some("GET, HEAD"),
    }
}
