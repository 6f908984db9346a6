//! An erasure that is cut off anywhere goes on.

use std::time::Duration;

use clickstream_erase::{SignedReceipt, Step, Timing};
use clickstream_event::Micros;
use clickstream_objects::{Objects as _, PutOptions};
use serde_json::json;

use crate::{
    erasing::ANN,
    service::{NO_WAIT, Service, by, user},
};

async fn service() -> Service {
    let service = Service::start().await;
    let events: Vec<_> = (0..40).map(|n| by(n, Some(if n % 4 == 0 { ANN } else { "bob" }), None, n as i64)).collect();
    service.log_events(&events).await;
    service.work().await;
    service.compact().await;
    service.log_events(&[by(100, Some(ANN), None, 100), by(101, Some("bob"), None, 100)]).await;
    service.work().await;
    service
}

/// In the event store and in reports; the lake has not yet what was landed last. Batches that were cut differently overlap in
/// raw/.
async fn bob_is_whole(service: &Service) {
    let [stored, _, lake, shown, _] = service.places("bob").await;
    assert_eq!([stored, lake, shown], [31, 30, 31]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_after_any_step_is_followed_by_one_that_goes_on() {
    let service = service().await;
    let begun = service.erase().await.begin(&user(ANN)).await.unwrap();
    let mut steps = Vec::new();
    loop {
        // Each step by another process, and once more as by one that was killed before it could write down that it was done.
        let key = format!("erasures/shop/{}/state.json", begun.erasure_id);
        let (_, before) = service.objects.get(&key).await.unwrap();
        let step = service.erase().await.step("shop", begun.erasure_id).await.unwrap();
        if step != Step::Done {
            service.objects.put(&key, before, PutOptions::default()).await.unwrap();
            assert_eq!(service.erase().await.step("shop", begun.erasure_id).await.unwrap(), step);
        }
        steps.push(step);
        if step == Step::Done {
            break;
        }
    }
    assert_eq!(steps, Step::ALL[1..]);
    assert_eq!(service.places(ANN).await, [0; 5]);
    bob_is_whole(&service).await;
    assert_eq!(service.files_with(ANN), Vec::<String>::new());
    let erase = service.erase().await;
    let receipt = erase.receipt("shop", begun.erasure_id).await.unwrap().unwrap();
    assert_eq!(receipt.receipt.erasure_id, begun.erasure_id);
    assert_eq!(erase.resume().await.unwrap(), 0, "nothing is left to do");
    // Killed between its last two writes: it is found once more, and then no more.
    let pending = json!({ "site_id": "shop" }).to_string();
    service.objects.put(&format!("erasures/pending/{}.json", begun.erasure_id), pending.into(), PutOptions::default()).await.unwrap();
    assert_eq!((erase.resume().await.unwrap(), erase.resume().await.unwrap()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_found_and_finished_after_a_restart() {
    let service = service().await;
    let begun = service.erase().await.begin(&user(ANN)).await.unwrap();
    for _ in 0..4 {
        service.erase().await.step("shop", begun.erasure_id).await.unwrap();
    }
    let erase = service.erase().await;
    assert!(erase.receipt("shop", begun.erasure_id).await.unwrap().is_none());
    assert_eq!(erase.resume().await.unwrap(), 1);
    assert_eq!(service.places(ANN).await, [0; 5]);
    let text = erase.run("shop", begun.erasure_id).await.unwrap();
    assert_eq!(serde_json::from_str::<SignedReceipt>(&text).unwrap().receipt.removed.stored_events, 11);
    assert!(erase.verifies(&text).await.unwrap() && !erase.verifies(&text.replace("shop", "shoq")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_do_no_harm() {
    let service = service().await;
    let begun = service.erase().await.begin(&user(ANN)).await.unwrap();
    let (one, other) = (service.erase().await, service.erase().await);
    let outcomes = tokio::join!(one.run("shop", begun.erasure_id), other.run("shop", begun.erasure_id));
    assert!(outcomes.0.is_ok() || outcomes.1.is_ok() || one.resume().await.unwrap() == 1);
    // Of one process, too: who is second is told, and does not keep the first.
    let again = service.erase().await.begin(&user(ANN)).await.unwrap();
    let twice = tokio::join!(one.run("shop", again.erasure_id), one.run("shop", again.erasure_id));
    assert!(twice.0.is_ok() && twice.1.is_err_and(|error| error.to_string().contains("another process")));
    one.run("shop", again.erasure_id).await.unwrap();
    let error = [outcomes.0, outcomes.1].into_iter().find_map(Result::err);
    assert!(error.is_none_or(|error| error.to_string().contains("another process")));
    assert_eq!(service.places(ANN).await, [0; 5]);
    bob_is_whole(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_look_comes_a_while_after_the_lake_s_version_is_settled() {
    let service = service().await;
    let wait = Duration::from_millis(700);
    let erase = service.erase().await.with_timing(Timing { again_after: wait, ..NO_WAIT });
    let begun = erase.begin(&user(ANN)).await.unwrap();
    while erase.step("shop", begun.erasure_id).await.unwrap() != Step::Again {}
    // As if the tombstones had stood for an hour, and whoever settled had just come to its end.
    let key = format!("erasures/shop/{}/state.json", begun.erasure_id);
    let (_, bytes) = service.objects.get(&key).await.unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert!(state["settled_at"].is_string(), "{state}");
    let now = Micros::now();
    (state["buried_at"], state["settled_at"]) = (json!(now.plus(-60 * 60 * Micros::SECOND)), json!(now));
    service.objects.put(&key, state.to_string().into(), PutOptions::default()).await.unwrap();
    assert_eq!(erase.step("shop", begun.erasure_id).await.unwrap(), Step::Versions);
    assert!(Micros::now().0 - now.0 >= wait.as_micros() as i64, "what merged or loaded the rows meanwhile has ended");
}
