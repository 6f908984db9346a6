//! The function retention with what it acts on here.

use std::sync::Arc;

use clickstream_log::{EVENTS, INBOUND, REJECTED};
use clickstream_retention::{KeptEvents, KeptTopic, REJECTED_DAYS, Retention, Stores, Topics};

use super::{Parts, polled};
use crate::config::Config;

/// Keeps what `config` says for as long as it says.
pub fn retention(parts: &Parts, config: &Config) -> Retention {
    let (objects, lake) = (Arc::clone(&parts.objects), Arc::clone(&parts.lake));
    let stores = Stores::new(objects, lake, parts.warehouse.clone())
        .with_topics(topics(parts, config))
        .with_events(KeptEvents { store: Arc::clone(&parts.store), days: config.event_days });
    Retention::new(stores, config.retention)
}

/// Topics of the embedded log; those of Kafka end by Kafka's own clock.
fn topics(parts: &Parts, config: &Config) -> Option<Topics> {
    parts.log_folder()?;
    let topic = |topic, groups, days| KeptTopic { topic, groups, days };
    let kept = vec![
        topic(EVENTS, vec![polled::STORE, polled::LAND], config.log_days),
        topic(INBOUND, vec![polled::INTAKE_TOPIC], config.log_days),
        topic(REJECTED, vec![polled::STORE], REJECTED_DAYS),
    ];
    Some(Topics { log: Arc::clone(&parts.log), kept })
}
