//! Which servers take the place of the embedded parts.

use clickstream_log::{Log as _, kafka::KafkaLog};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_store::scylla::{ScyllaConfig, migrate};
use clickstream_warehouse::Warehouse;

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
            let mut log_id = log.set_up().await?;
            if new_log {
                log_id = log.new_epoch().await?;
            }
            if let Some(topic) = &self.notifications_topic {
                log.create_topic(topic, 1).await?;
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
