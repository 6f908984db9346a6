//! Which question a path asks.

use std::time::Instant;

use bytes::Bytes;
use clickstream_telemetry::metric;
use http::{Method, Request};
use percent_encoding::percent_decode_str;

use crate::{Answer, QueryContext, QueryError, guard, live, parameters::Parameters, people, report, sources::Sources, trace};

/// Answers questions.
pub struct Query {
    sources: Sources,
    admin_token: Option<String>,
}

impl Query {
    /// Answers out of `context`, whoever asks: who may is decided before, by the host's guard.
    pub fn new(context: QueryContext) -> Self {
        Self::over(context.into())
    }

    pub(crate) fn over(sources: Sources) -> Self {
        Self { sources, admin_token: None }
    }

    /// Answers only who shows `token` (`Authorization: Bearer`), and no page of another origin.
    #[must_use]
    pub fn with_admin_token(mut self, token: String) -> Self {
        self.admin_token = Some(token);
        self
    }

    /// Answers one GET.
    pub async fn handle(&self, request: Request<Bytes>) -> Answer {
        let began = Instant::now();
        let answer = self.answer(&request).await.unwrap_or_else(|error| {
            match &error {
                QueryError::Unavailable(cause) => tracing::warn!(path = request.uri().path(), cause, "a part cannot be asked"),
                QueryError::Broken(cause) => tracing::error!(path = request.uri().path(), cause, "a part is broken"),
                _ => {}
            }
            Answer::Whole(error.response())
        });
        let status = answer.status().as_str().to_owned();
        metrics::counter!(metric::REQUESTS, "function" => "query", "status" => status).increment(1);
        metrics::histogram!(metric::REQUEST_SECONDS, "function" => "query").record(began.elapsed().as_secs_f64());
        answer
    }

    async fn answer(&self, request: &Request<Bytes>) -> Result<Answer, QueryError> {
        if let Some(token) = &self.admin_token {
            guard::check(request.headers(), token)?;
        }
        let path = request.uri().path();
        let parameters = Parameters::of(request.uri().query());
        let parts: Vec<String> =
            path.trim_start_matches('/').split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let known = matches!(
            parts.as_slice(),
            ["v1", "events", _, "trace"] | ["v1", "users", _, "events"] | ["v1", "reports", _] | ["v1", "rejections" | "live"]
        );
        if !known {
            return Err(QueryError::NotFound(path.to_owned()));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(QueryError::Method(request.method().to_string()));
        }
        let sources = &self.sources;
        match parts.as_slice() {
            ["v1", "events", id, "trace"] => {
                let wait = parameters.seconds("wait", trace::LONGEST_WAIT)?;
                trace::trace(sources, id, parameters.get("site"), wait).await
            }
            ["v1", "users", id, "events"] => people::timeline(sources, id, &parameters).await,
            ["v1", "rejections"] => people::rejections(sources, &parameters).await,
            ["v1", "reports", name] => report::report(sources, name, &parameters, request.headers()).await,
            _ => Ok(live::live(&sources.feed, parameters.get("site"), live::HEARTBEAT)),
        }
    }
}
