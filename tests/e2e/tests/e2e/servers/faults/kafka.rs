//! The log: what is no event, more partitions, and no broker.

use std::time::Duration;

use clickstream_e2e::eventually;
use clickstream_log::{EVENTS, INBOUND, REJECTED, Record};

use crate::{
    clicks::batch,
    servers::{
        load::BATCH,
        scene::{CAUGHT_UP, Scene},
    },
};

/// Until a metric has it, or a partition.
const SOON: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn poison_more_partitions_and_a_log_that_is_away_cost_no_event() {
    let mut scene = Scene::new().await;
    let mut load = scene.load();
    load.goes_on(20).await;
    what_is_no_event_is_left_out(&scene).await;
    more_partitions_are_used(&mut scene).await;

    scene.kafka.kill();
    metric(&scene, "clickstream_log_reachable", |reachable| reachable < 0.5).await;
    load.goes_on(400).await;
    scene.kafka.start_again();
    metric(&scene, "clickstream_log_reachable", |reachable| reachable > 0.5).await;
    load.goes_on(20).await;
    let sent = load.stop().await;
    println!("{} events, {} requests went to the bucket", sent.ids.len(), sent.spilled);
    assert!(sent.spilled >= 390, "only {} of 400 requests went to the bucket", sent.spilled);
    assert!(scene.metric("clickstream_spilled_objects_total").await >= sent.spilled as f64);
    scene.acknowledged.extend(sent.ids);
    scene.caught_up().await;
    assert_eq!(scene.send(20).await, 0, "the log takes events again");
    scene.caught_up().await;

    let compacted = scene.service.invoke("compact").await;
    assert_eq!(compacted["dead_letters"], 1, "{compacted}");
    scene.counts_are_right().await;
}

/// A record that is no event on each topic: the steps go on behind it.
async fn what_is_no_event_is_left_out(scene: &Scene) {
    let log = clickstream_log::connect(&scene.kafka.fact("url")).await.expect("the log");
    for topic in [EVENTS, INBOUND, REJECTED] {
        let poison = Record { key: Some("poison".into()), value: b"no event \xff".to_vec().into(), ..Record::default() };
        log.append(topic, vec![poison]).await.expect("it is appended");
    }
    metric(scene, "clickstream_undecodable_total{function=\"land\"}", |records| records >= 1.0).await;
    metric(scene, "clickstream_undecodable_total{function=\"store\"}", |records| records >= 2.0).await;
    metric(scene, "clickstream_events_total{source=\"topic\",verdict=\"rejected\"}", |records| records >= 1.0).await;
}

/// An event that is sent before and after stands in two partitions perhaps, and counts once.
async fn more_partitions_are_used(scene: &mut Scene) {
    let log = clickstream_log::connect(&scene.kafka.fact("url")).await.expect("the log");
    let (ids, twice) = batch(BATCH);
    let send = async || {
        let answer = scene.service.post("/v1/batch").json(&twice).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{answer:?}");
    };
    send().await;
    let before = log.extents(EVENTS).await.expect("extents").len();
    let more = u32::try_from(before).expect("a few") + 3;
    log.create_topic(EVENTS, more).await.expect("the topic grows");
    eventually(SOON, "every partition is used", || async {
        let extents = log.extents(EVENTS).await.map_err(|e| e.to_string())?;
        if extents.len() == more as usize && extents.iter().all(|extent| extent.end > 0) { Ok(()) } else { Err(format!("{extents:?}")) }
    })
    .await;
    send().await;
    scene.acknowledged.extend(ids);
    eventually(CAUGHT_UP, "every partition is landed", || async {
        let landed = log.committed("land", EVENTS).await.map_err(|e| e.to_string())?;
        if landed.len() == more as usize && landed.iter().all(|(_, next)| next.is_some()) { Ok(()) } else { Err(format!("{landed:?}")) }
    })
    .await;
}

/// Waits until the metric `name` is what `wanted` says.
async fn metric(scene: &Scene, name: &str, wanted: impl Fn(f64) -> bool) {
    eventually(SOON, name, || async {
        let value = scene.metric(name).await;
        if wanted(value) { Ok(()) } else { Err(format!("it is {value}")) }
    })
    .await;
}
