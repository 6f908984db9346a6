//! A person gone from everywhere, and nobody else.

use clickstream_erase::{EraseRequest, Step};
use clickstream_event::{Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_log::{EVENTS, REJECTED, Record, event_record, rejection_record};
use clickstream_objects::{Objects as _, PutOptions};
use clickstream_spill::{Parcel, decode, encode};
use clickstream_testkit::sample::BEGIN;
use serde_json::json;

use crate::service::{Service, by, just_now, user};

pub const ANN: &str = "ann-4711@shop.example";
const VISITOR: &str = "visitor-of-ann-0815";

fn rejection(original: &serde_json::Value) -> Rejection {
    Rejection {
        site_id: Some("shop".to_owned()),
        event_id: Some(uuid::Uuid::new_v4()),
        message_id: None,
        received_at: BEGIN,
        source: Source::Http,
        shape: Shape::Segment,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
        original: original.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_gone_from_every_store_and_nobody_else_is() {
    let service = Service::start().await;
    let before_login = by(1, None, Some(VISITOR), 0);
    let identify = by(2, Some(ANN), Some(VISITOR), 10);
    // Another user of the site has this device too: of it only what ann did goes.
    let (shared, others) = (by(3, Some(ANN), Some("family"), 20), by(4, Some("bob"), Some("family"), 30));
    service.log_events(&[before_login, identify, shared, others, by(5, Some("bob"), None, 40), by(6, None, Some("family"), 45)]).await;
    let rejected = [json!({ "userId": ANN, "type": "hover" }), json!({ "userId": "bob", "type": "hover" })];
    let rejected: Vec<Record> = rejected.iter().map(|r| rejection_record(&rejection(r)).unwrap()).collect();
    service.log.append(REJECTED, rejected).await.unwrap();
    service.work().await;
    service.compact().await;
    // Not compacted yet.
    service.log_events(&[by(7, Some(ANN), Some(VISITOR), 50), by(8, Some("bob"), None, 50)]).await;
    service.work().await;
    // Waiting for the log, in the inbox, in receipts, in quarantine.
    let parcel = |topic, records| Parcel { topic, records };
    let waiting = [event_record(&by(9, Some(ANN), None, 60)).unwrap(), event_record(&by(10, Some("bob"), None, 60)).unwrap()];
    let spilled = encode(&[parcel(EVENTS, waiting.to_vec())]).unwrap();
    let put = async |key: &str, body: Vec<u8>| service.objects.put(key, body.into(), PutOptions::default()).await.unwrap();
    put("spill/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90.ndjson.zst", spilled).await;
    let etag = put("inbox/shop/old.csv", format!("id,userId\n1,{ANN}\n").into_bytes()).await;
    put(
        &format!("receipts/shop/old.csv-{etag}.json"),
        json!({ "rejected_lines": [{ "line": 1, "reasons": [{ "message": ANN }] }, { "line": 2 }] }).to_string().into_bytes(),
    )
    .await;
    put("inbox/shop/other.csv", b"id,userId\n1,bob\n".to_vec()).await;
    put("inbox/shop/untaken.csv", format!("id,userId\n1,{ANN}\n").into_bytes()).await;
    put("quarantine/spill/x.ndjson.zst", format!("damaged {ANN}").into_bytes()).await;
    assert_eq!(service.places(ANN).await.map(|n| n > 0), [true; 5]);
    let bob = service.places("bob").await;

    let receipt = service.erased(&user(ANN)).await;
    for id in [ANN, VISITOR] {
        assert_eq!(service.places(id).await, [0; 5], "{id}");
    }
    assert_eq!(service.places("bob").await, bob);
    assert_eq!(service.places("family").await[0], 2);
    assert_eq!(
        service.files_with(ANN).iter().filter(|f| !f.ends_with("inbox/shop/untaken.csv")).count(),
        0,
        "{:?}",
        service.files_with(ANN)
    );
    assert_eq!(service.files_with(VISITOR), Vec::<String>::new());
    let rejections = service.store.rejections(Some("shop"), 10).await.unwrap();
    assert!(rejections.len() == 1 && rejections[0].rejection.original.contains("bob"));
    let (_, spilled) = service.objects.get("spill/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90.ndjson.zst").await.unwrap();
    assert_eq!(decode(&spilled).unwrap()[0].records, waiting[1..]);

    let removed = &receipt.removed;
    assert_eq!((removed.stored_events, removed.rejections, removed.raw_rows, removed.lake_rows), (4, 1, 4, 3), "{receipt:?}");
    assert_eq!((removed.spilled_records, removed.files, removed.receipt_lines), (1, 2, 1));
    assert_eq!(receipt.persons.len(), 2, "ann and the visitor; the shared device is another's too");
    assert!(!serde_json::to_string(&receipt).unwrap().contains("ann"));
    assert_eq!(receipt.left.iter().map(|left| left.key.as_str()).collect::<Vec<_>>(), ["inbox/shop/untaken.csv"]);
    assert!(receipt.ends["topic rejected"] > receipt.ends["topic events"]);
    // The marts of those days are as if ann had never been.
    let marts = service.database.number("sum(clicks) FROM element_daily").await;
    assert_eq!(marts, service.database.number("count() FROM settled WHERE NOT bot").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_later_counts_and_can_be_erased_again() {
    let service = Service::start().await;
    service.log_events(&[by(1, Some(ANN), None, 0), by(2, Some("bob"), None, 0)]).await;
    service.work().await;
    service.compact().await;
    service.erased(&user(ANN)).await;
    service.log_events(&[just_now(3, ANN), just_now(4, "bob")]).await;
    service.work().await;
    assert_eq!(service.places(ANN).await, [1, 1, 0, 1, 1]);
    service.compact().await;
    assert_eq!(service.places(ANN).await[..4], [1, 1, 1, 1]);
    let receipt = service.erased(&user(ANN)).await;
    assert_eq!((receipt.removed.stored_events, receipt.removed.lake_rows), (1, 1));
    assert_eq!(service.places(ANN).await, [0; 5]);
    let [stored, _, lake, shown, _] = service.places("bob").await;
    assert_eq!([stored, lake, shown], [2; 3], "batches that are cut differently overlap in raw/");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_id_is_erased_alone_and_a_wrong_request_is_told() {
    let service = Service::start().await;
    service.log_events(&[by(1, Some(ANN), Some(VISITOR), 0), by(2, Some(ANN), None, 0), by(3, None, Some(VISITOR), 0)]).await;
    service.work().await;
    let request = EraseRequest { site: "shop".to_owned(), user_id: None, anonymous_id: Some(VISITOR.to_owned()) };
    let receipt = service.erased(&request).await;
    assert_eq!((receipt.removed.raw_rows, receipt.persons.len()), (2, 1));
    assert_eq!(service.places(ANN).await[0], 1);
    let erase = service.erase().await;
    for (site, user_id, anonymous_id, says) in [
        ("shop", None, None, "one of them"),
        ("shop", Some("a"), Some("b"), "one of them"),
        ("../x", Some("a"), None, "site"),
        ("shop", Some(""), None, "1 to 1000"),
    ] {
        let request =
            EraseRequest { site: site.to_owned(), user_id: user_id.map(str::to_owned), anonymous_id: anonymous_id.map(str::to_owned) };
        let error = erase.begin(&request).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = erase.status("shop", uuid::Uuid::nil()).await.unwrap_err().to_string();
    assert!(error.contains("no erasure"), "{error}");
    let done = erase.status("shop", receipt.erasure_id).await.unwrap();
    assert!(done.step == Step::Done && done.erased_at <= Micros::now());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_what_any_store_has() {
    let service = Service::start().await;
    service.log_events(&[by(1, Some(ANN), Some(VISITOR), 0), by(2, None, Some(VISITOR), 5), by(3, Some("bob"), None, 0)]).await;
    let rejected = rejection_record(&rejection(&json!({ "userId": ANN, "type": "hover" }))).unwrap();
    service.log.append(REJECTED, vec![rejected]).await.unwrap();
    service.work().await;
    service.compact().await;
    // The event store forgets before ClickHouse does.
    service.store.expire(BEGIN.plus(Micros::SECOND), Micros(i64::MIN)).await.unwrap();
    let (to, mut lines) = tokio::sync::mpsc::channel(100);
    service.erase().await.export(&user(ANN), &to).await.unwrap();
    drop(to);
    let mut from = Vec::new();
    while let Some(line) = lines.recv().await {
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        from.push(line["from"].as_str().unwrap().to_owned());
        assert!(!line.to_string().contains("bob"), "{line}");
    }
    assert_eq!(from, ["store", "warehouse", "rejected"]);
}
