//! `doctor`: every part that the environment names is looked at by itself, so that one that is away hides no other.

mod clock;
mod finding;
mod firing;
mod folder;
mod log;
mod objects;
mod settled;
mod store;
mod topics;
mod warehouse;

use std::time::Duration;

use crate::{
    cli::Cli,
    client::Service,
    config::{self, Config},
    servers::Servers,
};
pub use finding::{Finding, State, summary};

/// Longest time for one part.
const WITHIN: Duration = Duration::from_secs(15);

/// Looks at everything. Needs no running service, and asks one if there is one.
pub async fn examine(cli: &Cli, service: &Service) -> Vec<Finding> {
    let mut findings = vec![environment(cli)];
    let Ok(servers) = config::servers() else { return findings };
    let (folder, log, store, objects, warehouse, settled) = tokio::join!(
        within(folder::PART, WITHIN, async |found| folder::examine(&cli.data, &servers, service, found).await),
        within(log::PART, WITHIN, async |found| match &servers.log {
            Some(url) => log::examine(url, &servers, found).await,
            None => found.push(embedded(log::PART, cli, "log")),
        }),
        within(store::PART, WITHIN, async |found| match &servers.store {
            Some(url) => store::examine(url, found).await,
            None => found.push(embedded(store::PART, cli, "store")),
        }),
        // Its own waits end sooner; seeing an announcement is one of them.
        within(objects::PART, 3 * WITHIN, async |found| match &servers.objects {
            Some(bucket) => objects::examine(bucket, &servers, service, found).await,
            None => found.push(embedded(objects::PART, cli, "objects")),
        }),
        within(warehouse::PART, WITHIN, async |found| match &servers.warehouse {
            Some(url) => warehouse::examine(url, found).await,
            None => found.push(embedded(warehouse::PART, cli, "clickhouse")),
        }),
        within(log::PART, WITHIN, async |found| settled::examine(&servers, found).await),
    );
    findings.extend([folder, log, settled, store, objects, warehouse].into_iter().flatten());
    findings
}

/// Whether `up` would take the environment.
fn environment(cli: &Cli) -> Finding {
    let check = "environment";
    match Config::from_env(&cli.data, &crate::cli::Up { listen: ([127, 0, 0, 1], 0).into() }) {
        Ok(config) => Finding::ok("configuration", check, named(&config.servers)),
        Err(error) => Finding::broken("configuration", check, error.to_string(), "correct the variable; `clickstream config` shows all"),
    }
}

/// Which parts are not embedded.
fn named(servers: &Servers) -> String {
    let Servers { log, store, objects, warehouse, .. } = servers;
    let parts = [("log", log.is_some()), ("store", store.is_some()), ("objects", objects.is_some()), ("warehouse", warehouse.is_some())];
    let named: Vec<_> = parts.into_iter().filter(|(_, is_server)| *is_server).map(|(part, _)| part).collect();
    if named.is_empty() { "every part is embedded".to_owned() } else { format!("on servers: {}", named.join(", ")) }
}

fn embedded(part: &'static str, cli: &Cli, folder: &str) -> Finding {
    Finding::ok(part, "place", format!("embedded, in {}", cli.data.join(folder).display()))
}

/// What `work` finds in `time`.
async fn within(part: &'static str, time: Duration, work: impl AsyncFnOnce(&mut Vec<Finding>)) -> Vec<Finding> {
    let mut findings = Vec::new();
    if tokio::time::timeout(time, work(&mut findings)).await.is_err() {
        let found = format!("no more answers within {} s", time.as_secs());
        findings.push(Finding::broken(
            part,
            "answers",
            found,
            "look at the server's own log, and at what lies between it and this machine",
        ));
    }
    findings
}
