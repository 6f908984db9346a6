//! Killed at random moments, the service loses nothing that it acknowledged and counts nothing twice.

mod files;
mod lake;
mod load;
mod raw_objects;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clickstream_e2e::{Service, StartOptions, Sums, eventually};
use load::Load;
use rand::{RngExt as _, SeedableRng as _, seq::IteratorRandom as _};
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;
use uuid::Uuid;

const EVENTS: usize = 50_000;
/// Events whose trace is asked for.
const TRACED: usize = 300;
/// What was acknowledged must be seen within this time.
const SEEN: Duration = Duration::from_mins(2);

pub fn from_environment(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_event_outlives_kills_at_random_moments_once() {
    let kills = from_environment("KILLS", 20) as usize;
    let seed = from_environment("SEED", 1);
    println!("{kills} kills with SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let load = Load::new(seed, EVENTS);

    // Compaction and settling run as often as they can, so that kills meet them too.
    let environment = vec![("COMPACT_INTERVAL", "5".to_owned())];
    let mut service = Service::start(&data, &StartOptions { port: 0, environment: environment.clone() }).await;
    let port = service.url.rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port");
    let options = StartOptions { port, environment };
    let (mut senders, mut progress) = load.send(&service.url);
    for kill in 0..kills {
        let share = (kill as f64 + random.random::<f64>()) / kills as f64;
        let moment = (share * load.requests() as f64) as usize;
        progress.wait_for(|acknowledged| *acknowledged >= moment).await.expect("the senders go on");
        // A moment in time, not only in what was acknowledged: work behind the acknowledgement is met as well.
        sleep(Duration::from_millis(random.random_range(0..2_500))).await;
        if random.random_bool(0.5) {
            in_the_middle_of_compaction(&service, random.random_range(0..400)).await;
        }
        service.kill().await;
        if random.random_bool(0.3) {
            let starting = Service::spawn(&data, &options);
            sleep(Duration::from_millis(random.random_range(0..1_500))).await;
            starting.kill().await;
        }
        service = Service::start(&data, &options).await;
        println!("kill {} after {} of {} requests", kill + 1, *progress.borrow(), load.requests());
    }
    while let Some(sender) = senders.join_next().await {
        sender.expect("every batch was acknowledged");
    }

    let (from, to) = (load.days.0.as_str(), load.days.1.as_str());
    eventually(SEEN, "every acknowledged event is exported once", || async { exactly_once(&service.exported(from, to).await, &load.ids) })
        .await;
    assert_eq!(service.report("elements", from, to).await.sums(), load.sums, "sums before all is settled");
    service.caught_up(&["store", "land", "load"]).await;
    let missing = load.ids.difference(&raw_objects::event_ids(&data.join("objects"))).count();
    assert_eq!(missing, 0, "events missing in the raw objects");
    stored(&service, load.ids.iter().copied().sample(&mut random, TRACED)).await;

    service.settle_everything().await;
    exactly_once(&service.exported(from, to).await, &load.ids).expect("settled events are exported once");
    let sums: Sums = service.report("elements", from, to).await.sums();
    assert_eq!(sums, load.sums, "sums when all is settled");
    let held = lake::held(&data.join("objects"));
    exactly_once(&held.events, &load.ids).expect("the lake holds each event once");
    assert_eq!(service.invoke("settle").await["version"], held.version, "every version is settled");
    assert!(service.terminate().await.success());
}

/// Has compaction, and settling after it, begin and go on for so many milliseconds.
async fn in_the_middle_of_compaction(service: &Service, milliseconds: u64) {
    let invoke =
        |function: &str| service.post(&format!("/2015-03-31/functions/{function}/invocations")).json(&serde_json::json!({})).send();
    let (compact, settle) = (invoke("compact"), invoke("settle"));
    // What they would say dies with the service.
    tokio::spawn(async move { (compact.await.is_ok(), settle.await.is_ok()) });
    sleep(Duration::from_millis(milliseconds)).await;
}

fn exactly_once(exported: &BTreeMap<Uuid, u32>, sent: &BTreeSet<Uuid>) -> Result<(), String> {
    let missing: Vec<_> = sent.iter().filter(|id| !exported.contains_key(id)).collect();
    let repeated: Vec<_> = exported.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id).collect();
    let strange: Vec<_> = exported.keys().filter(|id| !sent.contains(id)).collect();
    if missing.is_empty() && repeated.is_empty() && strange.is_empty() {
        return Ok(());
    }
    let told = |what: &str, ids: &[&Uuid]| format!("{} {what} {:?}", ids.len(), ids.iter().take(3).collect::<Vec<_>>());
    Err([told("missing", &missing), told("repeated", &repeated), told("never sent", &strange)].join(", "))
}

/// The event store has each of `ids`.
async fn stored(service: &Service, ids: Vec<Uuid>) {
    for id in ids {
        let trace = service.json(&format!("/v1/events/{id}/trace?site=demo")).await;
        assert!(!trace["store"].is_null(), "the event store lacks {id}: {trace}");
        assert!(!trace["raw"].is_null() && trace["warehouse"]["visible"] == true, "{trace}");
    }
}
