//! The log on Kafka passes the suite that every log must pass: on Kafka 4, and on Kafka 3.9, which still has `ZooKeeper`, the
//! oldest line that is promised.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_log::{
    SharedLog,
    conformance::{self, Subject, Supports},
    kafka::KafkaLog,
};
use tokio::sync::Mutex;

use crate::kafka;

struct Broker {
    url: String,
    open: Mutex<Option<KafkaLog>>,
}

impl Broker {
    async fn of(address: &str) -> Arc<Self> {
        let url = kafka::private(address, "replication=1");
        let log = KafkaLog::open(&url).unwrap();
        log.set_up().await.unwrap();
        Arc::new(Self { url, open: Mutex::new(Some(log)) })
    }
}

#[async_trait]
impl Subject for Broker {
    async fn log(&self) -> SharedLog {
        let mut open = self.open.lock().await;
        Arc::new(open.get_or_insert_with(|| KafkaLog::open(&self.url).unwrap()).clone())
    }

    async fn reopen(&self) -> SharedLog {
        let log = self.open.lock().await.take();
        if let Some(log) = log {
            log.close().await;
        }
        self.log().await
    }

    fn supports(&self) -> Supports {
        Supports { expire: true, growth: true }
    }
}

async fn on(address: &str) {
    let broker = Broker::of(address).await;
    let url = broker.url.clone();
    conformance::all(broker).await;
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_on_kafka_does_what_every_log_must() {
    kafka::show_logs();
    on(&kafka::shared()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_kafka_3_9_with_zookeeper_it_does_the_same() {
    kafka::show_logs();
    let address = clickstream_testkit::servers::running("KAFKA39_URL", "KAFKA39_URL");
    on(&address).await;
}
