//! Files of the inbox, the quarantine, what was replayed.

use crate::service::{Service, of};

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_taken_go_with_their_receipts_and_others_stay() {
    let mut service = Service::start().await.later(8);
    let taken = service.put("inbox/shop/a-b.csv", "a").await;
    service.put("inbox/shop/new.csv", "new").await;
    service.put("inbox/shop/untaken.csv", "untaken").await;
    service.put(&format!("receipts/shop/a-b.csv-{taken}.json"), "{}").await;
    service.put(&format!("receipts/shop/a-b.csv-{taken}-rejected.ndjson.gz"), "").await;
    // Of content that stood there before.
    service.put("receipts/shop/new.csv-00000000000000000000000000000000.json", "{}").await;
    let kept = service.run().await;
    assert_eq!((of(&kept, "inbox").removed, of(&kept, "inbox").kept.as_str()), (Some(0), "for ever"));
    service.settings.inbox_days = Some(9);
    assert_eq!(service.removed("inbox").await, 0);
    service.settings.inbox_days = Some(7);
    assert_eq!(service.removed("inbox").await, 3);
    assert_eq!(
        (service.keys("inbox/").await, service.keys("receipts/").await.len()),
        (vec!["inbox/shop/new.csv".to_owned(), "inbox/shop/untaken.csv".to_owned()], 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_could_take_goes_after_its_days_and_replays_after_the_ledger() {
    let service = Service::start().await.later(89);
    for key in ["quarantine/spill/x.ndjson.zst", "quarantine/shop/a.csv", "replays/0190a6e0.json"] {
        service.put(key, "x").await;
    }
    service.put("erasures/shop/receipt.json", "x").await;
    assert_eq!(service.removed("quarantine").await, 0);
    let service = service.later(91);
    assert_eq!(service.removed("quarantine").await, 2);
    assert_eq!((service.keys("quarantine/").await.len(), service.keys("replays/").await.len()), (0, 1));
    let service = service.later(401);
    assert_eq!(service.removed("replays").await, 1);
    assert_eq!(service.keys("erasures/").await, ["erasures/shop/receipt.json"], "what no rule is about stays");
}
