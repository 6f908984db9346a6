//! Offsets that no raw object holds.

use crate::scene::{Scene, clicks};
use clickstream_log::{EVENTS, Log as _};
use clickstream_reconcile::{LedgerGap, ReconcileRequest};

impl Scene {
    /// Lands clicks and loses one raw object of a partition before it is compacted; says its partition and offsets.
    async fn lose_an_object(&self) -> (u32, u64, u64) {
        self.log(&clicks(0..60)).await;
        let landed = self.land().await;
        self.store().await;
        let lost = landed.iter().find(|object| object.first == 10).unwrap();
        let partition = lost.key.split('/').nth(3).unwrap().parse().unwrap();
        for object in landed.iter().filter(|object| object.key != lost.key) {
            self.load(&object.key).await;
        }
        self.delete(&lost.key).await;
        (partition, lost.first, lost.next)
    }

    async fn accept(&self, text: String) -> Result<clickstream_reconcile::ReconcileReport, String> {
        let request = ReconcileRequest { accept_gap: Some(text), ..ReconcileRequest::default() };
        self.reconcile().run(request).await.map_err(|error| error.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_object_that_is_gone_is_landed_again_from_the_log() {
    let scene = Scene::start().await;
    let (partition, from, to) = scene.lose_an_object().await;
    assert_eq!(scene.compact().await.gaps.len(), 1);
    let gap = LedgerGap { log_id: scene.log_id.clone(), log_partition: partition, from, to, in_log: true, accepted: false };
    let ledger = scene.ledger().await;
    assert_eq!((ledger.gaps, ledger.balanced), (vec![gap], false));
    let refused = scene.accept(format!("{partition}:{from}-{to}")).await.unwrap_err();
    assert!(refused.contains("the log still holds"), "{refused}");

    let told = scene.reconcile().run(ReconcileRequest { dry_run: true, ..ReconcileRequest::default() }).await.unwrap();
    assert_eq!((told.repairs.len(), told.repairs[0].done, told.gaps.len()), (1, false, 1), "{told:?}");
    let report = scene.run().await;
    let repairs: Vec<_> = report.repairs.iter().map(|r| (r.kind.as_str(), r.count)).collect();
    assert_eq!(repairs, [("refilled_gap", to - from), ("lost_notification", to - from)], "{report:?}");
    assert!(report.gaps.is_empty() && report.balanced);
    assert_eq!(scene.count("clicks").await, 60);
    scene.compact().await;
    scene.settle().await;
    assert_eq!((scene.count("clicks").await, scene.count("settled").await), (60, 60));
    assert!(scene.run().await.repairs.is_empty());
    assert_eq!(scene.ledger().await.repairs.len(), 2);
    // A batch that comes again finds the object that it would make.
    assert!(scene.land_as("again").await.iter().any(|object| (object.first, object.next) == (from, to)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_that_the_log_cannot_fill_is_named_until_it_is_accepted() {
    let scene = Scene::start().await;
    let (partition, from, to) = scene.lose_an_object().await;
    scene.log.expire(EVENTS, partition, to).await.unwrap();
    for _ in 0..2 {
        assert_eq!(scene.compact().await.gaps.len(), 1);
        let report = scene.run().await;
        assert_eq!((report.balanced, report.repairs.len()), (false, 0), "{report:?}");
        let gaps: Vec<_> = report.gaps.iter().map(|g| (g.log_partition, g.from, g.to, g.in_log, g.accepted)).collect();
        assert_eq!(gaps, [(partition, from, to, false, false)]);
    }
    let wrong = format!("{partition}:{from}-{}", to + 1);
    for (wrong, says) in [("all", "PARTITION:FROM-TO"), (wrong.as_str(), &*format!("there are {partition}:{from}-{to}"))] {
        let refused = scene.accept(wrong.to_owned()).await.unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let report = scene.accept(format!("{partition}:{from}-{to}")).await.unwrap();
    assert_eq!(report.repairs.iter().map(|r| (r.kind.as_str(), r.count)).collect::<Vec<_>>(), [("accepted_gap", to - from)]);
    assert!(report.gaps.iter().all(|gap| gap.accepted) && report.balanced, "{report:?}");

    let compacted = scene.compact().await;
    assert!(compacted.gaps.is_empty(), "{compacted:?}");
    scene.settle().await;
    assert_eq!(scene.count("settled").await, 60 - (to - from));
    let ledger = scene.ledger().await;
    let row = ledger.partitions.iter().find(|row| row.topic == EVENTS && row.log_partition == partition).unwrap();
    assert_eq!((row.missing, row.unaccounted, row.pending), (to - from, 0, 0), "{row:?}");
    assert!(ledger.balanced && ledger.repairs.iter().any(|repair| repair.kind == "accepted_gap"));
}
