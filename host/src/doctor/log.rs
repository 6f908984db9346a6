//! The log on Kafka.

use clickstream_event::Micros;
use clickstream_log::{
    DOCTOR, EVENTS, INBOUND, Log as _, LogError, REJECTED, Record,
    kafka::{Inspection, KafkaLog},
};
use uuid::Uuid;

use super::{Finding, clock, topics};
use crate::{config::without_password, servers::Servers, up::polled};

/// The part.
pub const PART: &str = "log";

const RIGHTS: &str = "give the user of LOG_URL the right to describe, read and write our topics and groups (kafka-acls.sh)";

/// Looks at the Kafka that `url` names.
pub async fn examine(url: &str, servers: &Servers, findings: &mut Vec<Finding>) {
    let log = match KafkaLog::open(url) {
        Ok(log) => log,
        Err(error) => return findings.push(Finding::broken(PART, "LOG_URL", error.to_string(), "correct LOG_URL")),
    };
    let more: Vec<&str> = servers.notifications_topic.as_deref().into_iter().collect();
    match log.inspect(&more).await {
        Ok(found) => {
            findings.push(reached(url, &found));
            findings.push(identity(&found.log_id));
            findings.extend(topics::judge(&found.topics, log.brokers()));
            findings.extend(groups(&log).await);
            tried(&log, findings).await;
        }
        Err(error) => {
            let mend = "start the brokers, or correct the addresses in LOG_URL; meanwhile events go to the bucket";
            findings.push(Finding::broken(PART, "reachable", format!("{}: {error}", without_password(url)), mend));
        }
    }
    log.close().await;
}

fn reached(url: &str, found: &Inspection) -> Finding {
    let brokers = if found.brokers == 1 { "1 broker".to_owned() } else { format!("{} brokers", found.brokers) };
    let version =
        found.version.as_ref().map_or_else(|| "4.0 or later (it says no more)".to_owned(), |version| format!("protocol {version}"));
    Finding::ok(PART, "reachable", format!("{}: {brokers} of cluster {}, Kafka {version}", without_password(url), found.cluster_id))
}

fn identity(log_id: &Result<String, LogError>) -> Finding {
    match log_id {
        Ok(log_id) => Finding::ok(PART, "identity", log_id.as_str()),
        Err(error) => {
            let mend = "`clickstream setup`; `clickstream setup --new-log` if the cluster was replaced or its topics were lost";
            Finding::broken(PART, "identity", error.to_string(), mend)
        }
    }
}

/// Whether the groups may be asked how far they are.
async fn groups(log: &KafkaLog) -> Option<Finding> {
    for (group, topic) in [(polled::STORE, EVENTS), (polled::STORE, REJECTED), (polled::LAND, EVENTS), (polled::INTAKE_TOPIC, INBOUND)] {
        match log.committed(group, topic).await {
            Ok(_) => {}
            // The topic has a line of its own.
            Err(LogError::UnknownTopic(_)) => return None,
            Err(error) => return Some(Finding::broken(PART, "groups", format!("{group} on {topic}: {error}"), RIGHTS)),
        }
    }
    Some(Finding::ok(PART, "groups", format!("{}, {} and {} answer", polled::STORE, polled::LAND, polled::INTAKE_TOPIC)))
}

/// Writes a record and reads it back; by the time that it was appended the broker's clock is told.
async fn tried(log: &KafkaLog, findings: &mut Vec<Finding>) {
    let check = "write and read";
    let written = Record { value: Uuid::new_v4().to_string().into(), ..Record::default() };
    let asked = Micros::now();
    let appended = log.append(DOCTOR, vec![written.clone()]).await;
    let halfway = i64::midpoint(asked.0, Micros::now().0);
    let place = match appended {
        Ok(places) => places.into_iter().next(),
        // The topic has a line of its own.
        Err(LogError::UnknownTopic(_)) => return,
        Err(error) => return findings.push(Finding::broken(PART, check, error.to_string(), RIGHTS)),
    };
    let Some(place) = place else { return };
    match log.read(DOCTOR, place.partition, place.offset, 1, 1 << 10).await {
        Ok(read) if read.first().is_some_and(|read| read.record.value == written.value) => {
            findings.push(Finding::ok(PART, check, format!("a record went to topic {DOCTOR} and came back")));
            findings.extend(read.first().map(|read| clock::judge(PART, read.appended_at - halfway)));
        }
        Ok(_) => {
            let found = format!("offset {} of topic {DOCTOR} is not what was written", place.offset);
            findings.push(Finding::broken(PART, check, found, "look at the brokers' logs: a record that was acknowledged is gone"));
        }
        Err(error) => findings.push(Finding::broken(PART, check, error.to_string(), RIGHTS)),
    }
}
