//! `erase`: a person forgotten, or a receipt verified.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{cli::Erase, client::Service};

/// Pause between two questions of how far it is.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait.
const PATIENCE: Duration = Duration::from_hours(1);

/// Begins an erasure and waits for its receipt, or verifies one.
pub async fn run(service: &Service, options: &Erase) -> anyhow::Result<()> {
    if let Some(path) = &options.verify {
        let receipt = tokio::fs::read(path).await.with_context(|| format!("cannot read {}", path.display()))?;
        let verified: Value = service.send(service.post("/v1/erasures/verify").body(receipt)).await?.json().await?;
        if verified["valid"] != true {
            bail!("the receipt is not as it was signed: it was changed, or is of another bucket");
        }
        println!("the receipt is as it was signed");
        return Ok(());
    }
    let request = match (&options.user, &options.anonymous) {
        (Some(user), None) => json!({ "site": options.site, "user_id": user }),
        (None, Some(anonymous)) => json!({ "site": options.site, "anonymous_id": anonymous }),
        _ => bail!("name the person by --user or by --anonymous, one of them"),
    };
    let begun: Value = service.send(service.post("/v1/erasures").json(&request)).await?.json().await?;
    let status = begun["status"].as_str().context("the service named no status")?.to_owned();
    let (mut said, deadline) = (String::new(), tokio::time::Instant::now() + PATIENCE);
    while tokio::time::Instant::now() < deadline {
        // A line of JSON as it was signed, to be verified later.
        let now: Value = service.send(service.get(&status)).await?.json().await?;
        let step = now["step"].as_str().unwrap_or_default();
        if step == "done" {
            let key = format!("/v1/erasures/{}/receipt?site={}", begun["id"].as_str().unwrap_or_default(), options.site);
            println!("{}", service.send(service.get(&key)).await?.text().await?);
            return Ok(());
        }
        if step != said {
            eprintln!("{step}");
            step.clone_into(&mut said);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("the erasure is not done yet: GET {status} says how far it is; it goes on by itself")
}
