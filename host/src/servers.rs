//! Which servers take the place of the embedded parts.

use clickstream_log::{EVENTS, INBOUND, Log as _, LogError, REJECTED, kafka::KafkaLog};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_store::scylla::{ScyllaConfig, migrate};
use clickstream_warehouse::Warehouse;

/// Partitions of the topic on which the bucket announces objects: as many hosts share them.
const ANNOUNCEMENTS: u32 = 4;

/// Addresses of servers; each part without one is embedded.
#[derive(Clone, Default)]
pub struct Servers {
    /// `LOG_URL`: Kafka.
    pub log: Option<String>,
    /// `STORE_URL`: `ScyllaDB` or Cassandra.
    pub store: Option<String>,
    /// `OBJECTS_URL`: a bucket of MinIO or S3.
    pub objects: Option<S3Config>,
    /// `WAREHOUSE_URL`: a ClickHouse server.
    pub warehouse: Option<String>,
    /// `RAW_EXPIRY=tag`: the bucket removes raw objects that are tagged.
    pub expires_by_tag: bool,
    /// `NOTIFICATIONS_ARN`: where the bucket's server announces objects, as the server calls it.
    pub notifications_arn: Option<String>,
    /// `NOTIFICATIONS_TOPIC`: the topic on which it announces them.
    pub notifications_topic: Option<String>,
    /// `NOTIFICATIONS_TOKEN`: what the bucket's server shows when it announces objects.
    pub notifications_token: Option<String>,
}

impl Servers {
    /// The variable of a part that is embedded, if one is.
    pub fn embedded(&self) -> Option<&'static str> {
        let parts = [
            ("LOG_URL", self.log.is_some()),
            ("STORE_URL", self.store.is_some()),
            ("OBJECTS_URL", self.objects.is_some()),
            ("WAREHOUSE_URL", self.warehouse.is_some()),
        ];
        parts.into_iter().find(|(_, served)| !served).map(|(name, _)| name)
    }

    /// Makes on each server what this service needs, where it is missing; says what was done. Again changes nothing.
    ///
    /// # Errors
    /// Those of the servers.
    pub async fn set_up(&self, new_log: bool) -> anyhow::Result<Vec<String>> {
        let mut done = Vec::new();
        if let Some(url) = &self.log {
            let log = KafkaLog::open(url)?;
            if new_log {
                is_empty(&log).await?;
                log.new_epoch().await?;
            }
            let log_id = log.set_up().await?;
            if let Some(topic) = &self.notifications_topic {
                log.create_topic(topic, ANNOUNCEMENTS).await?;
            }
            log.close().await;
            done.push(format!("log: topics are there, the log is {log_id}"));
        }
        if let Some(url) = &self.store {
            let config = ScyllaConfig::from_url(url)?.with_credentials_from_env()?;
            migrate(&config).await?;
            done.push(format!("event store: keyspace {} is up to date", config.keyspace));
        }
        if let Some(config) = &self.objects {
            let objects = S3Objects::connect(config).await;
            let made = objects.make_bucket().await?;
            if let Some(arn) = &self.notifications_arn {
                objects.announce_to(arn).await?;
                done.push(format!("objects: what is written is announced to {arn}"));
            }
            if self.expires_by_tag {
                objects.expire_tagged().await?;
                done.push("objects: raw objects that retention tags are removed by the bucket".to_owned());
            }
            done.push(format!("objects: bucket {} {}", config.bucket, if made { "was made" } else { "is there" }));
        }
        if let Some(url) = &self.warehouse {
            let warehouse = Warehouse::from_url(url)?;
            warehouse.migrate().await?;
            done.push(format!("warehouse: database {} is up to date", warehouse.database()));
        }
        Ok(done)
    }
}

/// A new log begins at offset 0: records that are there would be taken for its own, or never come.
async fn is_empty(log: &KafkaLog) -> anyhow::Result<()> {
    let extents = match log.extents(EVENTS).await {
        Err(LogError::UnknownTopic(_)) => return Ok(()),
        extents => extents?,
    };
    if let Some(held) = extents.iter().find(|extent| extent.end > 0) {
        anyhow::bail!(
            "partition {} of topic {EVENTS} holds records up to offset {}, and a new log begins with empty topics: let the running \
             hosts work off what it holds, stop them, delete the topics {EVENTS}, {REJECTED} and {INBOUND}, then set up again",
            held.partition,
            held.end
        );
    }
    Ok(())
}
