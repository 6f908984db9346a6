//! The Lambda: HTTP requests, whichever gateway brings them, to [`clickstream_collect::Collector::handle`].

use clickstream_collect::collector_from_env;
use clickstream_triggers::Function;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("collect")?;
    let (collector, sites) = collector_from_env().await?;
    let (collector, sites) = (&collector, &sites);
    let served = function.serve_http(move |request, peer| async move {
        sites.before_invocation().await;
        collector.handle(request, peer).await
    });
    served.await.map_err(anyhow::Error::from_boxed)
}
