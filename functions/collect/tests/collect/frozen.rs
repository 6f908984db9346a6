//! Lambda holds an environment still between two invocations, for minutes, in which brokers end what is idle.

use std::time::{Duration, Instant};

use clickstream_log::{EVENTS, Log as _, kafka::KafkaLog};
use clickstream_testkit::{proxy::Proxy, runtime_api::Lambda, servers::Server, triggers::recorded};
use serde_json::{Value, json};

/// Connections of one environment to one broker: one for questions and one for appends, of each client.
const MOST: usize = 4;

fn event(id: u32) -> Value {
    let mut event = recorded("function-url");
    let body = json!({ "batch": [{ "type": "track", "event": "e", "messageId": id.to_string(), "anonymousId": "a" }] });
    event["body"] = body.to_string().into();
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_environment_finds_its_way_back_to_kafka_with_few_connections() {
    // Idle connections end after two seconds.
    let kafka = Server::start("kafka", &["connections.max.idle.ms=2000"]);
    let url = kafka.fact("url");
    let log = KafkaLog::open(&format!("{url}?replication=1")).unwrap();
    log.set_up().await.unwrap();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();

    let mut lambdas: Vec<Lambda> =
        (0..3).map(|_| Lambda::start(env!("CARGO_BIN_EXE_clickstream-collect"), &[("LOG_URL", &url), ("SITES", "shop:k3y")])).collect();
    // Concurrent cold starts: each environment has its first request at once.
    for (lambda, id) in lambdas.iter_mut().zip(0..) {
        lambda.send(&event(id), None);
    }
    for lambda in &mut lambdas {
        assert_eq!(lambda.answer().unwrap()["statusCode"], 200);
        let connections = lambda.connections(port);
        assert!((1..=MOST).contains(&connections), "{connections} connections");
    }
    let mut lambda = lambdas.swap_remove(0);
    drop(lambdas);

    lambda.freeze();
    tokio::time::sleep(Duration::from_secs(4)).await;
    lambda.thaw();
    let began = Instant::now();
    let answer = lambda.invoke(&event(10)).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(lambda.connections(port) <= MOST);
    let logged: u64 = log.extents(EVENTS).await.unwrap().iter().map(|extent| extent.end).sum();
    assert_eq!(logged, 4);
    log.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_lost_without_a_word_while_it_was_frozen_is_not_waited_for() {
    let proxy = Proxy::listen();
    let kafka = Server::start("kafka", &[&format!("advertised.listeners=PLAINTEXT://{}", proxy.address())]);
    let own = kafka.fact("url");
    proxy.aim(own.strip_prefix("kafka://").unwrap());
    let url = format!("kafka://{}", proxy.address());
    let log = KafkaLog::open(&format!("{url}?replication=1")).unwrap();
    log.set_up().await.unwrap();

    let idle = format!("{url}?connections.max.idle.ms=2000");
    let mut lambda = Lambda::start(env!("CARGO_BIN_EXE_clickstream-collect"), &[("LOG_URL", &idle), ("SITES", "shop:k3y")]);
    assert_eq!(lambda.invoke(&event(1)).unwrap()["statusCode"], 200);
    lambda.freeze();
    proxy.forget();
    tokio::time::sleep(Duration::from_secs(4)).await;
    lambda.thaw();
    // An append that waited for an answer through it would fail.
    assert_eq!(lambda.invoke(&event(2)).unwrap()["statusCode"], 200);

    // One that was in use a moment ago is missed by its silence: a request is refused meanwhile, and its client sends it again.
    proxy.forget();
    let began = Instant::now();
    while lambda.invoke(&event(3)).unwrap()["statusCode"] != 200 {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    let fresh = KafkaLog::open(&url).unwrap();
    let logged: u64 = fresh.extents(EVENTS).await.unwrap().iter().map(|extent| extent.end).sum();
    assert_eq!(logged, 3);
    fresh.close().await;
}
