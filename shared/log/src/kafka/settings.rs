//! librdkafka's settings for each kind of client. Their names and defaults are those of librdkafka's
//! `CONFIGURATION.md`; here stands what differs from the default, and why.

use std::time::Duration;

use rdkafka::{ClientConfig, config::RDKafkaLogLevel, error::KafkaError};

/// An append is acknowledged by then or has failed: soon enough that collect spills in time (clickstream-spill waits
/// 10 s), late enough for a partition to find a new leader.
const DELIVERED_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for an answer to a question: which topics there are, where a partition ends, who coordinates a group.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A member that sends no heartbeat for so long is taken for dead (kill -9 is noticed by then).
const SESSION: Duration = Duration::from_secs(10);
/// Bytes fetched ahead for each partition of a member and not handed out yet.
const FETCHED_AHEAD_KIB: u32 = 2 << 10;
/// Compressed bytes of a partition in one answer; unpacked they may be ten times as many.
const FETCH_BYTES: u32 = 256 << 10;

/// Settings that consumers do not know.
const OF_PRODUCERS: [&str; 3] = ["compression.level", "compression.type", "message.timeout.ms"];

/// Settings of all clients, and those of producers that `LOG_URL` gives.
#[derive(Clone)]
pub(super) struct Settings {
    common: ClientConfig,
    produce: Vec<(String, String)>,
}

impl std::fmt::Debug for Settings {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("common", &self.common.config_map()).field("produce", &self.produce).finish()
    }
}

impl Settings {
    /// What every client has.
    pub(super) fn new(brokers: &str) -> Self {
        let mut common = ClientConfig::new();
        common
            .set("bootstrap.servers", brokers)
            .set("client.id", "clickstream")
            // Topics are made by setup, with the settings they need.
            .set("allow.auto.create.topics", "false")
            .set("socket.nagle.disable", "true")
            .set("socket.keepalive.enable", "true")
            // A broker that is gone without a word (a pulled cable) is noticed after this, not after a minute.
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "5000")
            // A connection that was idle for longer may be lost without a word (a NAT gateway forgets it after 350 s, while a
            // Lambda is frozen): it is made anew. Brokers themselves end it after ten minutes.
            .set("connections.max.idle.ms", "60000")
            // A broker that is back is found within a second, not within ten.
            .set("reconnect.backoff.max.ms", "1000")
            // New partitions are noticed within this time.
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set_log_level(RDKafkaLogLevel::Info);
        Self { common, produce: Vec::new() }
    }

    /// An option of `LOG_URL`.
    pub(super) fn option(&mut self, name: &str, value: &str) {
        if OF_PRODUCERS.contains(&name) {
            self.produce.push((name.to_owned(), value.to_owned()));
        } else {
            self.common.set(name, value);
        }
    }

    pub(super) fn secret(&mut self, name: &str, value: String) {
        self.common.set(name, value);
    }

    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.common.get(name)
    }

    /// Asks librdkafka whether it takes the settings; the error names the one that it does not take.
    pub(super) fn check(&self) -> Result<(), String> {
        for config in [self.producer(), self.member("group")] {
            config.create_native_config().map_err(|error| match error {
                KafkaError::ClientConfig(_, why, name, _) => format!("{name}: {why}"),
                other => other.to_string(),
            })?;
        }
        Ok(())
    }

    /// After this time an append has been acknowledged or has failed.
    pub(super) fn delivered_within(&self) -> Duration {
        let given = self.produce.iter().find(|(name, _)| name == "message.timeout.ms").and_then(|(_, ms)| ms.parse().ok());
        given.map_or(DELIVERED_WITHIN, Duration::from_millis)
    }

    /// An idempotent producer (KIP-98): every record once and in order per partition, though requests are repeated.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.common.clone();
        config
            // Implies as many repeats as the time allows and at most five requests under way.
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // `lane.rs` gathers; this is for the rest of a batch that is being handed over.
            .set("linger.ms", "0.5")
            .set("message.timeout.ms", DELIVERED_WITHIN.as_millis().to_string())
            // A record of the log's limit with all that a batch adds to it, within a broker's default of 1,048,588.
            .set("message.max.bytes", "1048576")
            // The queue is bounded by us (`sender.rs`), in bytes; librdkafka's own bounds lie above.
            .set("queue.buffering.max.messages", "1000000")
            .set("queue.buffering.max.kbytes", "131072");
        if !self.produce.iter().any(|(name, _)| name == "compression.type") {
            // On events half of level 3's time, for hardly more bytes.
            config.set("compression.type", "zstd").set("compression.level", "1");
        }
        for (name, value) in &self.produce {
            config.set(name, value);
        }
        config
    }

    /// A client that asks. Nobody polls it for what librdkafka logs.
    pub(super) fn admin(&self) -> ClientConfig {
        let mut config = self.common.clone();
        config.set_log_level(RDKafkaLogLevel::Critical);
        config
    }

    /// What members of groups and readers have in common.
    fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.common.clone();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            // A damaged batch is an error and not a record.
            .set("check.crcs", "true")
            .set("fetch.error.backoff.ms", "200")
            // Else a partition whose queue was full once rests for a second, however soon it is read.
            .set("fetch.queue.backoff.ms", "20")
            // Of each partition, since each has a queue of its own.
            .set("queued.max.messages.kbytes", FETCHED_AHEAD_KIB.to_string())
            .set("max.partition.fetch.bytes", FETCH_BYTES.to_string());
        config
    }

    /// A member of `group`.
    pub(super) fn member(&self, group: &str) -> ClientConfig {
        let mut config = self.consumer(group);
        config
            // Only partitions that change hands stop for a rebalance (KIP-429).
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", SESSION.as_millis().to_string())
            // Members learn of a rebalance with their next heartbeat.
            .set("heartbeat.interval.ms", "1000")
            // A partition that is new to a member waits at most so long behind a question that is already asked.
            .set("fetch.wait.max.ms", "250");
        config
    }

    /// A consumer that reads where it is told to, and asks what `group` has committed. It joins no group.
    pub(super) fn reader(&self, group: &str) -> ClientConfig {
        let mut config = self.consumer(group);
        config
            .set("enable.partition.eof", "true")
            // It reads what is there; a question of the last read must not hold up the next.
            .set("fetch.wait.max.ms", "10")
            .set_log_level(RDKafkaLogLevel::Critical);
        config
    }
}
