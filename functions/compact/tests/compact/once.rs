//! Each event once, wherever its repeats lie.

use crate::service::Service;
use clickstream_compact::CompactRequest;
use clickstream_event::{Event, Micros};
use clickstream_testkit::sample::click;

fn received(seconds: i64, event: Event) -> Event {
    Event { received_at: event.received_at.plus(seconds * Micros::SECOND), ..event }
}

/// An event whose client gave no time, taken so many hours after the first.
fn untimed(id: u128, hours: i64) -> Event {
    Event { warnings: vec!["time_assigned".to_owned()], ..click(id, hours * 3_600) }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_repeats_in_one_commit_the_first_received_stays_then_the_lowest_place() {
    let service = Service::start().await;
    let later = |id| received(9, click(id, 0));
    service.land(0, 0, &[later(1), click(2, 0), later(3), click(3, 0), click(4, 0), click(4, 0)]).await;
    service.land(0, 6, &[later(4)]).await;
    service.land(1, 0, &[click(1, 0), click(2, 0), later(4)]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.duplicates), (4, 6));
    assert_eq!(service.rows().await, [(1, 1, 0), (2, 0, 1), (3, 0, 3), (4, 0, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_committed_copy_stays_whatever_comes_later() {
    let service = Service::start().await;
    service.land(0, 0, &[received(9, click(1, 0)), click(2, 0)]).await;
    let remembering = service.compaction().await;
    assert_eq!(remembering.run(CompactRequest::default()).await.unwrap().rows, 2);
    service.land(0, 2, &[click(1, 0), click(3, 0)]).await;
    let report = remembering.run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.duplicates), (1, 1));
    // Neither does a run that remembers nothing take what the lake has.
    service.land(1, 0, &[click(3, 0), click(2, 0), click(4, 0)]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.duplicates), (1, 2));
    // Only repeats: the watermark moves on, nothing is added.
    service.land(1, 3, &[click(4, 0)]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.commits, report.duplicates), (0, 1, 1));
    assert_eq!(service.rows().await, [(1, 0, 0), (2, 0, 1), (3, 0, 3), (4, 1, 2)]);
    assert_eq!(service.snapshot().await.watermarks, [("l/0".to_owned(), 4), ("l/1".to_owned(), 4)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_on_another_site_is_another_event() {
    let service = Service::start().await;
    let elsewhere = Event { site_id: "blog".to_owned(), ..click(1, 0) };
    service.land(0, 0, &[click(1, 0), elsewhere.clone()]).await;
    service.land(0, 2, &[elsewhere, Event { site_id: "docs".to_owned(), ..click(1, 0) }]).await;
    assert_eq!(service.run().await.rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_looked_for_an_hour_around_and_two_days_where_the_client_gave_no_time() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0), click(2, 0), untimed(3, 0), untimed(4, 0)]).await;
    service.run().await;
    let sent_again = [
        // The original time stays on a resend; a clock that was set changes it. 10:00 is met from 11:59, not from 12:00.
        (click(1, 7_199), 0),
        (click(2, 7_200), 1),
        (untimed(3, 48), 0),
        (untimed(4, 49), 1),
    ];
    for (offset, (event, counts)) in (4..).zip(sent_again) {
        service.land(0, offset, std::slice::from_ref(&event)).await;
        assert_eq!(service.run().await.rows, counts, "{}", event.event_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_compactions_at_once_commit_each_row_once() {
    let service = Service::start().await;
    for partition in 0..4 {
        for batch in 0..3_u64 {
            // Every event is in two partitions.
            let ids = (0..50).map(|n| u128::from(partition / 2) * 1_000 + u128::from(batch) * 50 + n);
            service.land(partition, batch * 50, &ids.map(|id| click(id, 0)).collect::<Vec<_>>()).await;
        }
    }
    let all = CompactRequest::default;
    let shard = |partitions: [u32; 2]| CompactRequest { partitions: Some(partitions.to_vec()) };
    let (a, b, c, d) = (service.compaction().await, service.compaction().await, service.compaction().await, service.compaction().await);
    let (a, b, c, d) = tokio::join!(a.run(all()), b.run(all()), c.run(shard([0, 3])), d.run(shard([1, 2])));
    let reports = [a, b, c, d].map(Result::unwrap);
    assert_eq!(reports.iter().map(|r| r.rows).sum::<u64>(), 300);
    assert_eq!(reports.iter().map(|r| r.duplicates).sum::<u64>(), 300);
    assert_eq!(service.ids().await, (0..150).chain(1_000..1_150).collect::<Vec<_>>());
    let snapshot = service.snapshot().await;
    assert_eq!(snapshot.watermarks, (0..4).map(|p| (format!("l/{p}"), 150)).collect());
    assert_eq!(u64::from(reports.iter().map(|r| r.commits).sum::<u32>()), snapshot.version);
}
