//! An erasure in a bucket that keeps versions: real MinIO.

use clickstream_log::{EVENTS, event_record};
use clickstream_objects::{Objects as _, PutOptions};
use clickstream_spill::{Parcel, encode};

use crate::{
    erasing::ANN,
    service::{Service, by, user},
};

/// A service whose bucket holds ann in many ways, most of them as older versions of what was rewritten or removed.
async fn service() -> Service {
    let service = Service::start_with_versions().await;
    service.log_events(&[by(1, Some(ANN), None, 0), by(2, Some("bob"), None, 0)]).await;
    service.work().await;
    service.compact().await;
    service.log_events(&[by(3, Some(ANN), None, 10), by(4, Some("bob"), None, 10)]).await;
    service.work().await;
    service.compact().await;
    let put = async |key: &str, body: Vec<u8>| service.objects.put(key, body.into(), PutOptions::default()).await.unwrap();
    // Back in the log: only its older version is left.
    let spilled =
        |id, who| encode(&[Parcel { topic: EVENTS, records: vec![event_record(&by(id, Some(who), None, 60)).unwrap()] }]).unwrap();
    for (key, who) in
        [("spill/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90.ndjson.zst", ANN), ("spill/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e91.ndjson.zst", "bob")]
    {
        put(key, spilled(9, who)).await;
        service.objects.delete(key).await.unwrap();
    }
    // Taken, and put once more without ann; a receipt; one that expired.
    let etag = put("inbox/shop/a.csv", format!("id,userId\n1,{ANN}\n").into_bytes()).await;
    put(
        &format!("receipts/shop/a.csv-{etag}.json"),
        format!("{{\"rejected_lines\":[{{\"line\":1,\"reasons\":[\"{ANN}\"]}}]}}").into_bytes(),
    )
    .await;
    put("inbox/shop/a.csv", b"id,userId\n1,bob\n".to_vec()).await;
    put("inbox/shop/gone.csv", format!("id,userId\n2,{ANN}\n").into_bytes()).await;
    service.objects.delete("inbox/shop/gone.csv").await.unwrap();
    // A raw object that retention removed.
    let raw = service.objects.list("raw/events/", None, 10).await.unwrap();
    service.objects.delete(&raw[0].key).await.unwrap();
    assert!(service.versions_with(ANN).await.len() >= 7);
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn no_version_of_any_object_holds_an_erased_person() {
    let service = service().await;
    let (bob, standing) = (service.versions_with("bob").await.len(), service.objects.list("", None, 1_000).await.unwrap().len());
    let receipt = service.erased(&user(ANN)).await;
    assert_eq!(service.versions_with(ANN).await, Vec::<String>::new());
    assert_eq!(service.places(ANN).await, [0; 5]);
    assert!(receipt.removed.versions >= 6, "{receipt:?}");
    assert!(receipt.left.is_empty(), "{receipt:?}");
    // Versions that hold nothing of ann stay, such as bob's spilled record; what was rewritten stands.
    assert!(service.versions_with("bob").await.len() >= bob / 2);
    assert!(service.objects.list("", None, 1_000).await.unwrap().len() >= standing);
    let [stored, _, lake, shown, _] = service.places("bob").await;
    assert_eq!([stored, lake, shown], [2; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_killed_as_it_ended_leaves_no_id_in_older_versions_of_its_state() {
    let service = service().await;
    let begun = service.erase().await.begin(&user(ANN)).await.unwrap();
    let pending = format!("erasures/pending/{}.json", begun.erasure_id);
    let waiting = service.objects.get(&pending).await.unwrap().1;
    service.erase().await.run("shop", begun.erasure_id).await.unwrap();
    assert!(service.objects.head(&pending).await.is_err());
    // As if it had been killed after it wrote that it is done: an older version has the id, and it is still pending.
    let state = format!("erasures/shop/{}/state.json", begun.erasure_id);
    let done = service.objects.get(&state).await.unwrap().1;
    service.objects.put(&state, format!("{{\"persons\":[\"{ANN}\"]}}").into(), PutOptions::default()).await.unwrap();
    service.objects.put(&state, done, PutOptions::default()).await.unwrap();
    service.objects.put(&pending, waiting, PutOptions::default()).await.unwrap();
    assert_eq!(service.versions_with(ANN).await, [state]);
    assert_eq!(service.erase().await.resume().await.unwrap(), 1);
    assert_eq!(service.versions_with(ANN).await, Vec::<String>::new());
    assert_eq!(service.erase().await.resume().await.unwrap(), 0);
}
