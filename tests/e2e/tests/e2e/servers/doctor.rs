//! `doctor` on real servers: all well, and then one thing after the other broken.

use std::time::{Duration, Instant};

use clickstream_e2e::Output;
use clickstream_objects::s3::{S3Config, S3Objects};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use serde_json::Value;

use super::scene::Scene;

/// However many servers are away, it ends within this time.
const LONGEST: Duration = Duration::from_mins(1);

/// What one run said.
struct Examined {
    findings: Vec<Value>,
    output: Output,
}

impl Examined {
    async fn of(scene: &Scene, environment: &[(&str, &str)]) -> Self {
        let began = Instant::now();
        let output = scene.command(&["doctor", "--json"], environment).await;
        assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
        println!("{:.1} s: {}", began.elapsed().as_secs_f64(), output.stderr.trim_end());
        let findings = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("no findings ({e}): {output:?}"));
        Self { findings, output }
    }

    /// Part and check of what is not well, in a state.
    fn bad(&self, state: &str) -> Vec<(&str, &str)> {
        let bad = self.findings.iter().filter(|finding| finding["state"] == state);
        bad.map(|finding| (finding["part"].as_str().expect("a part"), finding["check"].as_str().expect("a check"))).collect()
    }

    /// What is said of one check, which must be in this state.
    fn said(&self, state: &str, part: &str, check: &str) -> String {
        let found = self.findings.iter().find(|f| f["part"] == part && f["check"] == check && f["state"] == state);
        let found = found.unwrap_or_else(|| panic!("{part}, {check} is not {state}: {:#?}", self.findings));
        format!("{} | {}", found["found"].as_str().unwrap_or_default(), found["mend"].as_str().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_named_with_its_remedy_and_what_is_well_is_left_alone() {
    let mut scene = Scene::new().await;
    scene.send(5).await;
    let well = Examined::of(&scene, &[]).await;
    // Of one broker, a topic can have one copy.
    assert_eq!((well.bad("broken"), well.bad("warning")), (vec![], vec![("log", "copies")]), "{:#?}", well.findings);
    assert!(well.output.success, "{:?}", well.output);
    assert!(well.said("ok", "objects", "announcements").contains(&scene.service.url));
    assert!(well.said("ok", "objects", "reachable").contains("MinIO"));
    assert!(well.said("ok", "store", "reachable").contains("Apache Cassandra 5"));
    let table = scene.command(&["doctor"], &[]).await.expect_success();
    assert!(table.lines().last().is_some_and(|line| line == "nothing is broken, 1 warning"), "{table}");
    println!("{table}");

    shorten(&scene.kafka.fact("url")).await;
    let found = Examined::of(&scene, &[]).await;
    assert!(found.output.success && found.bad("broken").is_empty(), "{:#?}", found.findings);
    let said = found.said("warning", "log", "topic rejected");
    assert!(said.contains("not 30 days") && said.contains("--entity-name rejected --add-config retention.ms=2592000000"), "{said}");

    // A bucket that nobody set up.
    let url = format!("s3://forgotten?endpoint={}", scene.minio.fact("url"));
    let found = Examined::of(&scene, &[("OBJECTS_URL", &url)]).await;
    assert!(found.said("broken", "objects", "reachable").contains("no such bucket | `clickstream setup` makes it"));
    let mut config = S3Config::from_url(&url).expect("an address");
    (config.access_key, config.secret_key) = (Some(scene.minio.fact("access_key")), Some(scene.minio.fact("secret_key")));
    S3Objects::connect(&config).await.make_bucket().await.expect("a bucket");
    let found = Examined::of(&scene, &[("OBJECTS_URL", &url)]).await;
    assert_eq!(found.bad("broken"), [("objects", "notifications"), ("objects", "announcements")], "{:#?}", found.findings);
    assert!(found.said("broken", "objects", "notifications").contains("raw/, inbox/, spill/"));
    // Whoever has the bucket remove what is tagged needs a rule there, which `setup` puts.
    let by_tag = [("OBJECTS_URL", url.as_str()), ("RAW_EXPIRY", "tag")];
    let found = Examined::of(&scene, &by_tag).await;
    assert!(found.said("broken", "objects", "lifecycle").contains("they stay | `clickstream setup` sets the rule"));
    let said = scene.command(&["setup"], &by_tag).await.expect_success();
    assert!(said.contains("raw objects that retention tags are removed by the bucket"), "{said}");
    let found = Examined::of(&scene, &by_tag).await;
    assert!(found.said("ok", "objects", "lifecycle").contains("removed by the bucket"));

    let mut scene = lost_topic(scene).await;
    let found = Examined::of(&scene, &[]).await;
    assert!(found.bad("broken").is_empty(), "{:#?}", found.findings);

    // One is gone, one hangs; and then all hang.
    scene.minio.kill();
    scene.cassandra.freeze();
    let found = Examined::of(&scene, &[]).await;
    assert!(found.said("broken", "objects", "reachable").contains("OBJECTS_URL"));
    assert_eq!(found.bad("broken").iter().filter(|(part, _)| *part == "store").count(), 1, "{:#?}", found.findings);
    assert!(!found.bad("broken").iter().any(|(part, _)| *part == "log"), "{:#?}", found.findings);
    scene.kafka.kill();
    let found = Examined::of(&scene, &[]).await;
    assert!(found.said("broken", "log", "reachable").contains("LOG_URL"));
    assert!(found.output.stderr.contains("checks are broken") && !found.output.success, "{:?}", found.output);
    scene.cassandra.kill();
    let found = Examined::of(&scene, &[]).await;
    assert!(found.said("broken", "store", "reachable").contains("STORE_URL"));
    scene.minio.start_again();
    scene.kafka.start_again();
    scene.cassandra.start_again();
    scene = scene.restart().await;
    scene.send(5).await;
    scene.caught_up().await;
    scene.counts_are_right().await;
}

/// Deletes the topic `events` and follows what is said until the service runs again.
async fn lost_topic(mut scene: Scene) -> Scene {
    scene.caught_up().await;
    scene.service.settle_everything().await;
    let brokers = scene.kafka.fact("url");
    scene.service.end().await;
    let deleted = admin(&brokers).delete_topics(&["events"], &AdminOptions::new().operation_timeout(Some(LONGEST))).await;
    deleted.expect("an answer").remove(0).expect("the topic is deleted");
    let found = Examined::of(&scene, &[]).await;
    assert!(found.said("broken", "log", "topic events").contains("clickstream setup"));

    scene.setup().await.expect_success();
    let found = Examined::of(&scene, &[]).await;
    let said = found.said("broken", "log", "end against what is settled");
    assert!(said.contains("ends at offset 0") && said.contains("setup --new-log"), "{said}");
    let refused = scene.command(&["up", "--listen", "127.0.0.1:0"], &[]).await.expect_failure();
    assert!(refused.contains("ends at offset 0") && refused.contains("setup --new-log"), "{refused}");
    scene.command(&["setup", "--new-log"], &[]).await.expect_success();
    scene.start().await;
    scene.send(5).await;
    scene
}

fn admin(url: &str) -> AdminClient<DefaultClientContext> {
    let brokers = url.strip_prefix("kafka://").expect("an address of Kafka");
    ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client")
}

/// Has the topic `rejected` keep records for an hour. What is not named here goes back to the broker's default.
async fn shorten(url: &str) {
    let shorter = AlterConfig::new(ResourceSpecifier::Topic("rejected"))
        .set("message.timestamp.type", "LogAppendTime")
        .set("max.message.bytes", "1048588")
        .set("cleanup.policy", "delete")
        .set("retention.ms", "3600000");
    let altered = admin(url).alter_configs([&shorter], &AdminOptions::new()).await;
    altered.expect("an answer").remove(0).expect("the topic is altered");
}
