//! The Lambda: HTTP requests, whichever gateway brings them, to [`clickstream_query::Query::handle`]. The live stream needs a connection
//! that stays open, which a function has not; it is answered by the host alone.

use clickstream_query::{Answer, QueryError, query_from_env};
use clickstream_triggers::Function;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("query")?;
    let query = query_from_env().await?;
    let query = &query;
    let served = function.serve_http(move |request, _| async move {
        match query.handle(request).await {
            Answer::Whole(response) => response,
            Answer::Stream(_) => QueryError::NoStream.response(),
        }
    });
    served.await.map_err(anyhow::Error::from_boxed)
}
