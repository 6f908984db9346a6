//! The Lambda as AWS runs it.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clickstream_event::Micros;
use clickstream_store::{
    Found, Retention,
    scylla::{ScyllaConfig, migrate},
};
use clickstream_testkit::{
    proxy::Proxy,
    runtime_api::{Lambda, refusal},
    s3::Bucket,
    sample::{click, value},
    servers,
    triggers::kafka,
};
use serde_json::json;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-store-events");

#[tokio::test(flavor = "multi_thread")]
async fn records_of_kafka_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let bucket = Bucket::start().await;
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("STORE_URL", &url)]].concat());
    let id = Uuid::from_u128(1);
    let value = json!({
        "event_id": id, "site_id": "shop", "action": "custom", "user_id": "u", "original_at": Micros(1), "occurred_at": Micros(1),
        "received_at": Micros(1), "source": "http", "verdict": "valid"
    });
    let record = |topic: &str| {
        json!({
            "topic": topic, "partition": 3, "offset": 11, "timestamp": 1_795_514_400_000_i64, "timestampType": "CREATE_TIME",
            "key": STANDARD.encode("shop:1"), "value": STANDARD.encode(value.to_string()), "headers": []
        })
    };
    let event = json!({ "eventSource": "aws:kafka", "bootstrapServers": "b:9092", "records": { "events-3": [record("events")] } });
    lambda.invoke(&event).unwrap();
    let wrong = json!({ "eventSource": "aws:kafka", "bootstrapServers": "b:9092", "records": { "inbound-3": [record("inbound")] } });
    let error = lambda.invoke(&wrong).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("events and rejected"), "{error}");
    drop(lambda);

    let store = clickstream_store::connect(&url, Retention::default()).await.unwrap();
    let Some(Found::Event(logged)) = store.find(Some("shop"), id).await.unwrap() else { panic!("not stored") };
    assert_eq!((logged.log_partition, logged.log_offset), (3, 11));
}

/// Sends the event `id`, a batch, until it is taken.
async fn until_done(lambda: &mut Lambda, id: u32, within: Duration) {
    let batch = kafka("events", 0, u64::from(id), &[value(&click(u128::from(id), 0))]);
    let began = Instant::now();
    while let Err(error) = lambda.invoke(&batch) {
        assert!(began.elapsed() < within, "{error}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_or_stopped_environment_finds_its_way_back_to_cassandra_with_few_connections() {
    let running = servers::running("SCYLLA_URL", "STORE_URL");
    let address = running.strip_prefix("scylla://").unwrap().split(['/', '?']).next().unwrap();
    let keyspace = format!("test_{}", Uuid::new_v4().simple());
    let (bucket, proxy) = (Bucket::start().await, Proxy::to(address));
    migrate(&ScyllaConfig::new(vec![address.to_owned()], &keyspace)).await.unwrap();
    let store = clickstream_store::connect(&format!("scylla://{address}/{keyspace}"), Retention::default()).await.unwrap();
    let through = format!("scylla://{}/{keyspace}", proxy.address());
    let mut lambdas: Vec<Lambda> =
        (0..2).map(|_| Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("STORE_URL", &through)]].concat())).collect();
    let (own, to_proxy) = (address.rsplit(':').next().unwrap(), proxy.address());
    let ports = [own, to_proxy.rsplit(':').next().unwrap()].map(|port| port.parse::<u16>().unwrap());
    for (lambda, id) in lambdas.iter_mut().zip(1_u32..) {
        lambda.send(&kafka("events", 0, u64::from(id), &[value(&click(u128::from(id), 0))]), None);
    }
    for lambda in &mut lambdas {
        lambda.answer().unwrap();
        // One for what the cluster is, and one for each node (more where ScyllaDB has several shards).
        let connections = ports.map(|port| lambda.connections(port)).iter().sum::<usize>();
        assert!((1..=4).contains(&connections), "{connections} connections");
    }
    let mut lambda = lambdas.swap_remove(0);
    drop(lambdas);
    lambda.freeze();
    proxy.cut();
    tokio::time::sleep(Duration::from_millis(500)).await;
    lambda.thaw();
    // The driver connects again behind the scenes: until then an invocation fails, and the trigger sends the batch again.
    until_done(&mut lambda, 3, Duration::from_secs(10)).await;

    // Lost without a word: the driver asks whether a connection lives, and waits 5 s for the answer.
    lambda.freeze();
    proxy.forget();
    tokio::time::sleep(Duration::from_secs(11)).await;
    lambda.thaw();
    until_done(&mut lambda, 4, Duration::from_secs(15)).await;

    // The rows are there when their answers come, which is too late.
    proxy.slow(Duration::from_secs(4));
    let error = lambda.invoke_within(&kafka("events", 0, 5, &[value(&click(5, 0))]), Duration::from_secs(2)).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("just before the function's time-out"), "{error}");
    proxy.slow(Duration::ZERO);
    until_done(&mut lambda, 5, Duration::from_secs(15)).await;
    for id in 1..=5 {
        let found = store.find(Some("shop"), Uuid::from_u128(id)).await.unwrap();
        assert!(matches!(found, Some(Found::Event(_))), "{id}");
    }
    let session = scylla::client::session_builder::SessionBuilder::new().known_node(address).build().await.unwrap();
    session.query_unpaged(format!("DROP KEYSPACE {keyspace}"), ()).await.unwrap();
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let text = refusal(PROGRAM, &[]);
    assert!(text.contains("STORE_URL is not set: sqlite:FOLDER"), "{text}");
    let text = refusal(PROGRAM, &[("STORE_URL", "oracle:x")]);
    assert!(text.contains("STORE_URL is wrong: sqlite:FOLDER"), "{text}");
}
