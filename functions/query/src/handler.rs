//! Which question a path asks. Who may ask is decided before: by the host's guard, by API Gateway's authorizer.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use crate::{Answer, QueryContext, QueryError, live, parameters::Parameters, people, report, trace};

/// Answers questions.
pub struct Query {
    context: Arc<QueryContext>,
}

impl Query {
    /// Answers out of `context`.
    pub fn new(context: QueryContext) -> Self {
        Self { context: Arc::new(context) }
    }

    /// Answers one GET.
    pub async fn handle(&self, request: Request<Bytes>) -> Answer {
        self.answer(&request).await.unwrap_or_else(|error| {
            if let QueryError::Unavailable(cause) = &error {
                tracing::warn!(path = request.uri().path(), cause, "a part cannot be asked");
            }
            Answer::Whole(error.response())
        })
    }

    async fn answer(&self, request: &Request<Bytes>) -> Result<Answer, QueryError> {
        let context = &self.context;
        let path = request.uri().path();
        let parameters = Parameters::of(request.uri().query());
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["v1", "events", id, "trace"] => trace::trace(context, id, parameters.get("site")).await,
            ["v1", "users", id, "events"] => people::timeline(context, &decoded(id), &parameters).await,
            ["v1", "rejections"] => people::rejections(context, &parameters).await,
            ["v1", "reports", name] => report::report(context, name, &parameters, request.headers()).await,
            ["v1", "live"] => Ok(live::live(context, parameters.get("site"))),
            _ => Err(QueryError::NotFound(path.to_owned())),
        }
    }
}

fn decoded(segment: &str) -> String {
    // A path's `+` is a plus; form decoding would make it a space.
    url::form_urlencoded::parse(segment.replace('+', "%2B").as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
