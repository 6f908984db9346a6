//! One librdkafka producer and the thread that takes its reports.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use rdkafka::{
    ClientConfig, ClientContext, Message,
    client::{Client, OAuthToken},
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};

use super::{failure, iam, lane::Sent, logging};
use crate::{LogError, Position, Record};

/// Longest sleep of the thread; reports wake it.
const TICK: Duration = Duration::from_millis(100);

/// What librdkafka calls.
pub(super) struct Reports;

impl ClientContext for Reports {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        logging::line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        logging::error(&error, reason);
    }

    fn generate_oauth_token(&self, region: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        iam::token(region)
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Self::DeliveryOpaque) {
        match result {
            Ok(message) => match (u32::try_from(message.partition()), u64::try_from(message.offset())) {
                (Ok(partition), Ok(offset)) => sent.delivery.stands(sent.index, Position { partition, offset }),
                // It stands, but a broker that was asked again does not remember where (DUPLICATE_SEQUENCE_NUMBER).
                _ => sent.delivery.failed(RDKafkaErrorCode::DuplicateSequenceNumber),
            },
            Err((error, _)) => sent.delivery.failed(failure::code(error).unwrap_or(RDKafkaErrorCode::Fail)),
        }
        let lane = Arc::clone(&sent.lane);
        drop(sent);
        lane.reported();
    }
}

/// A producer. Dropped, it gives up what is not acknowledged.
pub(super) struct Producer {
    client: Arc<BaseProducer<Reports>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Producer {
    pub(super) fn start(config: &ClientConfig) -> Result<Self, LogError> {
        let unavailable = |why: String| LogError::Unavailable(format!("no producer can be made: {why}"));
        let client = Arc::new(BaseProducer::from_config_and_context(config, Reports).map_err(|e| unavailable(e.to_string()))?);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("kafka-reports".to_owned()).spawn({
            let (client, stop) = (Arc::clone(&client), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    client.poll(TICK);
                }
            }
        });
        let thread = Some(thread.map_err(|e| unavailable(e.to_string()))?);
        Ok(Self { client, stop, thread })
    }

    /// For questions about topics.
    pub(super) fn client(&self) -> &Client<Reports> {
        self.client.client()
    }

    /// Hands a record to librdkafka, which copies it; never blocks. What is refused comes back.
    pub(super) fn send(&self, topic: &str, partition: i32, mut sent: Sent) -> Result<(), (RDKafkaErrorCode, Box<Sent>)> {
        let Record { key, value, headers } = std::mem::take(&mut sent.record);
        let mut message = BaseRecord::<[u8], [u8], _>::with_opaque_to(topic, Box::new(sent)).partition(partition).payload(&value[..]);
        message.key = key.as_deref();
        message.headers = (!headers.is_empty()).then(|| with_names(&headers));
        let refused = self.client.send(message);
        refused.map_err(|(error, message)| (failure::code(&error).unwrap_or(RDKafkaErrorCode::Fail), message.delivery_opaque))
    }
}

fn with_names(headers: &[(String, Bytes)]) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |all, (name, value)| {
        all.insert(Header { key: name, value: Some(&value[..]) })
    })
}

impl Drop for Producer {
    fn drop(&mut self) {
        // The thread is the last to hold the client, and so it is the one that waits for librdkafka's threads to end.
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take());
    }
}
