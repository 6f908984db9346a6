//! Versions that bring a day anew.

use crate::service::Service;
use clickstream_columns::{event_schema, raw_batch, write_lake_file};
use clickstream_event::{DeviceType, Event};
use clickstream_lake::{NewFile, Replay, day_of};
use clickstream_testkit::sample::{click, rows};
use clickstream_warehouse::Commit;
use uuid::Uuid;

/// What readers see: rows, different events, and events of a phone.
const SEEN: &str = "count(), uniqExact(event_id), countIf(device_type = 'mobile')";

impl Service {
    async fn new_file(&self, events: &[Event]) -> NewFile {
        let raw = raw_batch("l", 0, &rows(0, events)).unwrap();
        let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
        let bytes = write_lake_file([Ok(raw.project(&columns).unwrap())]).unwrap();
        let (from, to) = (events[0].original_at, events[events.len() - 1].original_at);
        self.lake.write_file(bytes, events.len() as u64, (from, to), (from, to)).await.unwrap()
    }

    /// Puts the first two clicks of [`days`] in place as those of a phone; the others are moved.
    async fn replay(&self) -> u64 {
        let base = self.lake.snapshot().await.unwrap();
        let replay = Replay {
            day: day_of(click(1, 0).original_at).unwrap(),
            removed: base.files.clone(),
            added: vec![self.new_file(&phones()).await],
            moved: vec![self.new_file(&days()[2..]).await],
            happened_on: [day_of(click(1, 0).original_at).unwrap()].into(),
            ..Replay::default()
        };
        self.lake.replay(&base, &replay).await.unwrap()
    }

    async fn seen(&self, view: &str) -> (u64, u64, u64) {
        self.database.warehouse.client().query(&format!("SELECT {SEEN} FROM {view}")).fetch_one().await.unwrap()
    }

    async fn devices(&self) -> Vec<String> {
        let sql = "SELECT concat(toString(day), ' ', device_type, ' ', toString(events)) FROM device_daily ORDER BY ALL";
        self.database.warehouse.client().query(sql).fetch_all().await.unwrap()
    }

    /// Inserts the rows of the replaying version as a settler that dies next; `notes` if it came as far as that.
    async fn begin(&self, version: u64, notes: bool) -> Commit {
        let read = self.lake.versions(version, version).await.unwrap().remove(0);
        let load_id = Uuid::now_v7();
        let warehouse = &self.database.warehouse;
        for file in read.added() {
            let bytes = self.lake.read_file(&file.path).await.unwrap();
            warehouse.insert_settled(bytes, load_id, version, &file.path).await.unwrap();
        }
        if notes {
            warehouse.replaces_day(version, load_id, day_of(click(1, 0).original_at).unwrap()).await.unwrap();
        }
        Commit { version, load_id, watermarks: read.watermarks.clone(), rows: 2 }
    }
}

fn days() -> Vec<Event> {
    vec![click(1, 0), click(2, 60), click(3, 86_400), click(4, 86_460)]
}

fn phones() -> Vec<Event> {
    days()[..2].iter().map(|event| Event { device_type: DeviceType::Mobile, ..event.clone() }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_changes_at_once_for_readers_and_then_in_the_marts() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.replay().await, 2);
    let settle = service.settle();
    let settling = tokio::spawn(async move { settle.run().await.unwrap() });
    let mut looks = 0;
    while !settling.is_finished() {
        for view in ["clicks", "settled"] {
            let (count, ids, phones) = service.seen(view).await;
            assert!((count, ids) == (4, 4) && [0, 2].contains(&phones), "{view}: {count} {ids} {phones} after {looks} looks");
        }
        looks += 1;
    }
    let report = settling.await.unwrap();
    assert_eq!((report.versions, report.rows, report.days), (1, 2, vec!["2026-11-24".to_owned()]));
    assert_eq!((service.seen("clicks").await, service.seen("settled").await), ((4, 4, 2), (4, 4, 2)));
    assert_eq!(service.devices().await, ["2026-11-24 mobile 2", "2026-11-25 desktop 2"]);
    // Appends of that day go on from it.
    service.append(0, 4, &[click(5, 30)]).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.seen("clicks").await, (5, 5, 2));
    assert_eq!(service.devices().await, ["2026-11-24 desktop 1", "2026-11-24 mobile 2", "2026-11-25 desktop 2"]);
    assert_eq!(service.database.warehouse.drop_replaced(0).await.unwrap(), 1);
    assert_eq!((service.seen("clicks").await, service.database.number("count() FROM events").await), ((5, 5, 2), 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settler_that_dies_at_any_step_shows_nothing_twice_and_leaves_no_hole() {
    for notes in [false, true] {
        let service = Service::start().await;
        service.append(0, 0, &days()).await;
        service.settle().run().await.unwrap();
        let version = service.replay().await;
        let died = service.begin(version, notes).await;
        assert_eq!((service.seen("clicks").await, service.seen("settled").await), ((4, 4, 0), (4, 4, 0)), "{notes}");
        let report = service.settle().run().await.unwrap();
        assert_eq!((report.version, report.rows), (Some(2), 2));
        assert_eq!(service.seen("clicks").await, (4, 4, 2));
        // It was only asleep: its load comes too late, and goes.
        service.database.warehouse.commit(&died).await.unwrap();
        assert_eq!((service.seen("clicks").await, service.database.number("count() FROM events").await), ((4, 4, 2), 6));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_before_the_marts_has_them_rebuilt_by_the_next() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    service.settle().run().await.unwrap();
    let version = service.replay().await;
    let commit = service.begin(version, true).await;
    service.database.warehouse.commit(&commit).await.unwrap();
    assert_eq!(service.seen("clicks").await, (4, 4, 2));
    assert_eq!(service.devices().await, ["2026-11-24 desktop 2", "2026-11-25 desktop 2"]);
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.versions, report.days), (0, vec!["2026-11-24".to_owned()]));
    assert_eq!(service.devices().await, ["2026-11-24 mobile 2", "2026-11-25 desktop 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_settlers_of_a_replay_at_once_its_rows_count_once() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    service.replay().await;
    let (one, other) = (service.settle(), service.settle());
    let (one, other) = tokio::join!(one.run(), other.run());
    assert_eq!((one.unwrap().version, other.unwrap().version), (Some(2), Some(2)));
    assert_eq!((service.seen("clicks").await, service.seen("settled").await), ((4, 4, 2), (4, 4, 2)));
    assert_eq!(service.devices().await, ["2026-11-24 mobile 2", "2026-11-25 desktop 2"]);
}
