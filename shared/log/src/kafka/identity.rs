//! Which log this is: an identity made once, kept in the log itself, so that every host reads the same.
//!
//! It stands in a topic of its own with one partition. Each record is one claim `(epoch, log_id, cluster_id)`; of the
//! claims of the highest epoch the first one holds. So hosts that set up the same log at once agree, whoever of them
//! was first, and `setup --new-log` begins another epoch by claiming the next number. Each claim has a key of its own,
//! so that compaction keeps all of them.

use clickstream_event::Micros;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{KafkaLog, topics::Keep};
use crate::{Log as _, LogError, Record};

/// The topic, without prefix.
pub(super) const TOPIC: &str = "clickstream-log";

/// Claims read at a time.
const PAGE: usize = 1_000;

/// One claim, as JSON in a record's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    epoch: u64,
    log_id: String,
    /// Kafka's id of the cluster that the claim was made on.
    cluster_id: String,
    made_at: Micros,
}

/// The claim that holds, of claims in their order.
fn holding(claims: impl IntoIterator<Item = Claim>) -> Option<Claim> {
    claims.into_iter().reduce(|held, next| if next.epoch > held.epoch { next } else { held })
}

/// The identity; an error if none was made, or if it was made on another cluster.
pub(super) async fn read(log: &KafkaLog) -> Result<String, LogError> {
    let unmade = || LogError::Unavailable(format!("Kafka at {} has no log of ours yet; `clickstream setup` makes it", log.brokers()));
    let claim = match claims(log).await {
        Err(LogError::UnknownTopic(_)) => return Err(unmade()),
        claims => holding(claims?).ok_or_else(unmade)?,
    };
    of_this_cluster(claim, &log.cluster_id().await?)
}

fn of_this_cluster(claim: Claim, cluster_id: &str) -> Result<String, LogError> {
    if claim.cluster_id == cluster_id {
        return Ok(claim.log_id);
    }
    Err(LogError::Unavailable(format!(
        "the log {} was made on the Kafka cluster {}, and LOG_URL now leads to the cluster {cluster_id}, where its offsets mean \
         something else; point LOG_URL back, or begin a new epoch with `clickstream setup --new-log`",
        claim.log_id, claim.cluster_id
    )))
}

/// Makes the identity if there is none; returns the one that holds.
pub(super) async fn ensure(log: &KafkaLog) -> Result<String, LogError> {
    log.make_topic(TOPIC, 1, Keep::Newest).await?;
    let cluster_id = log.cluster_id().await?;
    if holding(claims(log).await?).is_none() {
        claim(log, 1, &cluster_id).await?;
    }
    read(log).await
}

/// Begins another epoch; returns its identity. Two that do so at once get the same.
pub(super) async fn begin_epoch(log: &KafkaLog) -> Result<String, LogError> {
    log.make_topic(TOPIC, 1, Keep::Newest).await?;
    let cluster_id = log.cluster_id().await?;
    let epoch = holding(claims(log).await?).map_or(1, |held| held.epoch + 1);
    claim(log, epoch, &cluster_id).await?;
    read(log).await
}

async fn claim(log: &KafkaLog, epoch: u64, cluster_id: &str) -> Result<(), LogError> {
    let log_id = Uuid::new_v4().to_string();
    let key = Some(log_id.clone().into());
    let claim = Claim { epoch, log_id, cluster_id: cluster_id.to_owned(), made_at: Micros::now() };
    let value = serde_json::to_vec(&claim).map_err(|e| LogError::Unavailable(format!("an identity cannot be written: {e}")))?;
    log.append(TOPIC, vec![Record { key, value: value.into(), headers: Vec::new() }]).await?;
    Ok(())
}

async fn claims(log: &KafkaLog) -> Result<Vec<Claim>, LogError> {
    let mut claims = Vec::new();
    for extent in log.extents(TOPIC).await?.into_iter().take(1) {
        let mut from = extent.start;
        while from < extent.end {
            let page = log.read(TOPIC, 0, from, PAGE, 1 << 20).await?;
            let Some(last) = page.last() else { break };
            from = last.offset + 1;
            for read in page {
                let claim = serde_json::from_slice(&read.record.value);
                claims.push(claim.map_err(|e| LogError::Corrupt(format!("offset {} of topic {TOPIC} is no identity: {e}", read.offset)))?);
            }
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(epoch: u64, log_id: &str) -> Claim {
        Claim { epoch, log_id: log_id.to_owned(), cluster_id: "c".to_owned(), made_at: Micros(0) }
    }

    #[test]
    fn the_first_claim_of_the_highest_epoch_holds() {
        assert_eq!(holding([]), None);
        let of = |claims: &[(u64, &str)]| holding(claims.iter().map(|(epoch, id)| claim(*epoch, id))).map(|c| c.log_id);
        assert_eq!(of(&[(1, "a"), (1, "b")]).as_deref(), Some("a"));
        assert_eq!(of(&[(1, "a"), (1, "b"), (2, "c"), (2, "d"), (1, "late")]).as_deref(), Some("c"));
    }

    #[test]
    fn another_cluster_is_refused_by_name() {
        assert_eq!(of_this_cluster(claim(1, "a"), "c").as_deref().ok(), Some("a"));
        let said = of_this_cluster(claim(1, "a"), "other").unwrap_or_else(|e| e.to_string());
        assert!(said.contains("cluster c,") && said.contains("cluster other,") && said.contains("setup --new-log"), "{said}");
    }
}
