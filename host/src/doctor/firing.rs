//! Whether what is written to the bucket is really announced: on a topic, or to the running service.

use std::time::Duration;

use clickstream_log::{Extent, Log as _, LogError, kafka::KafkaLog};
use clickstream_triggers::notifications;
use tokio::time::{Instant, sleep};

use super::{Finding, objects::PART};
use crate::{client::Service, servers::Servers, up::status::Status};

const CHECK: &str = "announcements";

/// MinIO looks through its queue every 3 s.
const WITHIN: Duration = Duration::from_secs(15);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Watches for the announcement of an object that is written after [`Watch::begin`].
pub struct Watch<'a>(How<'a>);

enum How<'a> {
    /// The topic that the bucket's server writes to, from these places on.
    Topic { log: KafkaLog, topic: &'a str, from: Vec<Extent> },
    /// What the running service was told.
    Service(&'a Service),
    /// Not at all, and why.
    Not(Finding),
}

impl<'a> Watch<'a> {
    /// Begins to watch.
    pub async fn begin(servers: &'a Servers, service: &'a Service) -> Self {
        let Some(topic) = &servers.notifications_topic else {
            if servers.notifications_token.is_none() {
                let mend = "start the service with NOTIFICATIONS_TOKEN, and give it to the bucket's server; or set NOTIFICATIONS_TOPIC";
                let found = "neither NOTIFICATIONS_TOKEN nor NOTIFICATIONS_TOPIC is set: the service takes no announcements";
                return Self(How::Not(Finding::broken(PART, CHECK, found, mend)));
            }
            return Self(How::Service(service));
        };
        let Some(url) = &servers.log else {
            let mend = "set LOG_URL to the Kafka that the bucket's server writes to, or unset NOTIFICATIONS_TOPIC";
            return Self(How::Not(Finding::broken(PART, CHECK, "NOTIFICATIONS_TOPIC is set and LOG_URL is not", mend)));
        };
        let opened = async {
            let log = KafkaLog::open(url)?;
            let from = log.extents(topic).await?;
            Ok::<_, LogError>((log, from))
        };
        Self(match opened.await {
            Ok((log, from)) => How::Topic { log, topic, from },
            Err(error) => How::Not(Finding::warning(PART, CHECK, format!("it cannot be told: {error}"), "mend the log, and look again")),
        })
    }

    /// Waits for the announcement of `key`.
    pub async fn end(mut self, key: &str) -> Finding {
        let began = Instant::now();
        loop {
            let seen = match &mut self.0 {
                How::Not(why) => return why.clone(),
                How::Topic { log, topic, from } => on_topic(log, topic, from, key).await,
                How::Service(service) => told(service, key).await,
            };
            let place = self.place();
            match seen {
                Ok(true) => return Finding::ok(PART, CHECK, format!("{place} had one after {:.1} s", began.elapsed().as_secs_f64())),
                Ok(false) if began.elapsed() < WITHIN => sleep(PAUSE).await,
                Ok(false) => return unseen(&place),
                Err(error) => {
                    let mend = "run `clickstream doctor` while the service and its parts run, and look again";
                    return Finding::warning(PART, CHECK, format!("it cannot be told: {error:#}"), mend);
                }
            }
        }
    }

    fn place(&self) -> String {
        match &self.0 {
            How::Topic { topic, .. } => format!("topic {topic}"),
            How::Service(service) => format!("the service at {}", service.url),
            How::Not(_) => String::new(),
        }
    }
}

fn unseen(place: &str) -> Finding {
    let mend = "look whether notifications are set, whether the server's target leads there and shows NOTIFICATIONS_TOKEN, and whether an \
                event that it cannot deliver blocks its queue (`mc admin info`, the server's log)";
    Finding::broken(PART, CHECK, format!("{place} was not told of a new object within {} s", WITHIN.as_secs()), mend)
}

/// Looks through what came to the topic since the last look.
async fn on_topic(log: &KafkaLog, topic: &str, from: &mut [Extent], key: &str) -> anyhow::Result<bool> {
    for extent in from {
        loop {
            let records = log.read(topic, extent.partition, extent.end, 1_000, 4 << 20).await?;
            let Some(last) = records.last() else { break };
            extent.end = last.offset + 1;
            let announced = records.iter().filter_map(|read| notifications(&read.record.value).ok()).flatten();
            if announced.into_iter().any(|notification| notification.key == key) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn told(service: &Service, key: &str) -> anyhow::Result<bool> {
    let status: Status = service.send(service.get("/v1/status").timeout(WITHIN)).await?.json().await?;
    Ok(status.probe.as_deref() == Some(key))
}
