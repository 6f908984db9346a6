//! Days computed anew.

use clickstream_columns::RawRow;
use clickstream_erasure::{Kind, Person, Tombstone, Tombstones};
use clickstream_event::{Action, AgentSays, DeviceType, Event, Micros};
use clickstream_objects::Objects as _;
use clickstream_replay::{ReplayError, ReplayReport, ReplayRequest, ReplaySource};
use clickstream_testkit::sample::{click, rows};
use serde_json::json;
use uuid::Uuid;

use crate::scene::{DAY, IPHONE, NEXT, Scene, days, newer, older, told};

/// Twenty clicks of the day, and ten of the next.
fn two_days() -> Vec<Event> {
    (0..20).map(|n| older(n, n as i64 * 60)).chain((20..30).map(|n| older(n, 86_400 + n as i64))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_an_earlier_version_become_those_of_this_one_and_each_event_counts_once() {
    let scene = Scene::start().await;
    let old = two_days();
    scene.take(0, 0, &old[..25]).await;
    scene.take(1, 0, &old[25..]).await;
    assert_eq!(scene.seen().await, (30, 30, 0));
    let (version, rows, counts) = (scene.version().await, scene.rows().await, scene.lake.counts(2).await.unwrap());

    let dry = scene.days(DAY, DAY, true).await;
    assert_eq!((dry.read, dry.taken, dry.days.len(), dry.replay_id), (20, 20, 1, None));
    let day = &dry.days[0];
    assert_eq!((day.files, day.rows, day.from_raw, day.from_lake, day.changed, day.erased), (1, 20, 20, 0, 20, 0));
    for field in ["device_type", "os", "browser", "url", "path", "utm_source", "verdict", "warnings"] {
        assert_eq!(day.fields[field], 20, "{day:?}");
    }
    assert_eq!((day.fields.len(), day.version, scene.version().await), (8, None, version), "{day:?}");
    let sample = |field: &str| day.samples.iter().find(|sample| sample.field == field).unwrap();
    assert_eq!((&sample("device_type").old, &sample("device_type").new), (&Some(json!("unknown")), &Some(json!("mobile"))));
    // An address may name a person.
    assert_eq!((&sample("url").old, &sample("url").new), (&None, &None));
    assert!(scene.rows().await == rows);

    let done = scene.days(DAY, DAY, false).await;
    assert_eq!(told(&done.days[0]), dry.days[0]);
    assert_eq!((done.days[0].version, scene.version().await), (Some(version + 1), version + 1));
    assert_eq!((scene.seen().await, scene.devices().await), ((30, 30, 20), vec![format!("{DAY} mobile 20"), format!("{NEXT} unknown 10")]));
    // The same events at the same places and times; those of the next day as they were.
    let mut wanted = rows;
    wanted[..20].iter_mut().for_each(|row| row.event = newer(&row.event));
    assert!(scene.rows().await == wanted);
    assert_eq!(scene.lake.counts(version + 1).await.unwrap(), counts);

    let again = scene.days(DAY, DAY, false).await;
    assert_eq!((again.taken, again.days[0].changed, again.days[0].version, scene.version().await), (0, 0, None, version + 1));
    let rest = scene.days("2026-11-20", "2026-11-30", false).await;
    assert_eq!(rest.days.iter().map(|day| (day.day.to_string(), day.changed)).collect::<Vec<_>>(), [(DAY.into(), 0), (NEXT.into(), 10)]);
    assert_eq!((scene.seen().await, scene.devices().await.len()), ((30, 30, 30), 2));
    told_in_the_report(&scene, &done, version).await;
}

async fn told_in_the_report(scene: &Scene, done: &ReplayReport, version: u64) {
    let load = scene.database.warehouse.load_of(version + 1).await.unwrap();
    assert!(load.is_some() && done.days[0].load_id == load);
    let versions = done.versions.clone().unwrap();
    let program = Some(env!("CARGO_PKG_VERSION").to_owned());
    assert_eq!((versions.program.before, versions.program.after), (program.clone(), program));
    assert_eq!((versions.schema.before, versions.schema.after), (Some(1), Some(1)));
    assert_eq!((versions.lake.before, versions.lake.after), (Some(version), Some(version + 1)));
    assert!(versions.clickhouse.before >= Some(8) && versions.clickhouse.before == versions.clickhouse.after);
    let (_, kept) = scene.bucket.objects.get(&format!("replays/{}.json", done.replay_id.unwrap())).await.unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["report"]["days"][0]["load_id"], json!(load.unwrap()));
    assert_eq!((&kept["request"]["source"]["from_day"], &kept["report"]["versions"]["lake"]["after"]), (&json!(DAY), &json!(version + 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_each_event_once_all_the_while() {
    let scene = Scene::start().await;
    scene.take(0, 0, &two_days()).await;
    let replaying = async {
        scene.days(DAY, NEXT, false).await;
        true
    };
    let looking = async {
        let mut looks = 0;
        loop {
            let (count, ids, phones) = scene.seen().await;
            assert!((count, ids) == (30, 30) && [0, 20, 30].contains(&phones), "{count} {ids} {phones} after {looks} looks");
            looks += 1;
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::select! { done = replaying => done, () = looking => false });
    assert_eq!(scene.seen().await, (30, 30, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_for_stays_as_it_is() {
    let scene = Scene::start().await;
    let mut events = two_days();
    events[1].site_id = "blog".to_owned();
    events[2].action = Action::View;
    scene.take(0, 0, &events).await;
    let asked = ReplayRequest {
        site: Some("shop".to_owned()),
        action: Some(Action::Click),
        received_to: Some(events[10].received_at),
        ..days(DAY, DAY)
    };
    let report = scene.asked(&asked).await.unwrap();
    let day = &report.days[0];
    assert_eq!((day.rows, day.from_raw, day.changed), (20, 8, 8), "{day:?}");
    let mut wanted = events;
    for n in [0, 3, 4, 5, 6, 7, 8, 9] {
        wanted[n] = newer(&wanted[n]);
    }
    assert!(scene.events().await == wanted);
    assert_eq!(scene.seen().await, (30, 30, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_copy_goes_before_the_lake_s_row_and_without_one_the_row_will_do() {
    let scene = Scene::start().await;
    let old = two_days();
    scene.take(0, 0, &old[..10]).await;
    scene.take(0, 10, &old[10..]).await;
    let rules = ReplayRequest { user_agent: AgentSays::Rules, ..days(DAY, DAY) };
    scene.asked(&rules).await.unwrap();
    // What a replay made of the lake's rows is made again of what was admitted.
    let lost: Vec<String> = scene.bucket.keys("raw/events/l/").await;
    scene.bucket.objects.delete(&lost[0]).await.unwrap();
    let report = scene.days(DAY, DAY, false).await;
    let day = &report.days[0];
    assert_eq!((day.from_raw, day.from_lake, day.changed, day.version), (10, 10, 0, None), "{day:?}");
    assert_eq!(scene.days(NEXT, NEXT, false).await.days[0].from_raw, 10);
    scene.bucket.objects.delete(&lost[1]).await.unwrap();
    let report = scene.days(DAY, NEXT, false).await;
    assert_eq!((report.taken, report.days[0].from_lake, report.days[1].from_lake), (0, 20, 10));
    assert!(scene.events().await == old.iter().map(newer).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_declared_changes_only_where_the_user_agent_rules() {
    let scene = Scene::start().await;
    let declared = Event { user_agent: Some(IPHONE.to_owned()), ..click(1, 0) };
    scene.take(0, 0, &[declared]).await;
    // A click of the samples is from a desktop, by what it says.
    let fills = scene.days(DAY, DAY, true).await;
    assert_eq!(fills.days[0].fields.keys().collect::<Vec<_>>(), ["browser", "os"]);
    let rules = ReplayRequest { user_agent: AgentSays::Rules, ..days(DAY, DAY) };
    scene.asked(&rules).await.unwrap();
    assert_eq!(scene.events().await[0].device_type, DeviceType::Mobile);
    // Raw still says what it said.
    assert_eq!(scene.days(DAY, DAY, false).await.days[0].fields.keys().collect::<Vec<_>>(), ["device_type"]);
    assert_eq!((scene.events().await[0].device_type, scene.seen().await), (DeviceType::Desktop, (1, 1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_people_who_are_erased_are_left_out() {
    let scene = Scene::start().await;
    let mut events = two_days();
    events[3].user_id = Some("ann".to_owned());
    // It happened on another day than its client said.
    events[3].occurred_at = events[3].occurred_at.plus(-Micros::DAY);
    scene.take(0, 0, &events).await;
    let before = scene.lake.counts(1).await.unwrap()["l/0"];
    let tombstones = Tombstones::new(scene.bucket.objects.clone(), None);
    let hash = tombstones.key().await.unwrap().hash("shop", &Person::User("ann".to_owned()));
    tombstones.bury(&[Tombstone { site_id: "shop".to_owned(), kind: Kind::User, hash, erased_at: Micros::now() }]).await.unwrap();
    let dry = scene.days(DAY, DAY, true).await;
    assert_eq!((dry.erased, dry.taken, dry.days[0].rows), (1, 19, 19));
    let done = scene.days(DAY, DAY, false).await;
    assert_eq!(told(&done.days[0]), dry.days[0]);
    assert!(scene.events().await.iter().all(|event| event.user_id.as_deref() != Some("ann")));
    assert_eq!((scene.rows().await.len(), scene.seen().await), (29, (29, 29, 19)));
    assert_eq!(scene.devices().await, [format!("{DAY} mobile 19"), format!("{NEXT} unknown 10")], "of the 23rd nothing is left");
    let counts = scene.lake.counts(2).await.unwrap()["l/0"];
    assert_eq!((counts.rows, counts.erased, counts.total()), (before.rows - 1, before.erased + 1, before.total()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_computed_in_little_memory() {
    let scene = Scene::start().await;
    // Every third a day later, so that each file holds rows of both days.
    let event = |n: u128| older(n, (n as i64 * 37) % 40_000 + if n.is_multiple_of(3) { 86_400 } else { 0 });
    let old: Vec<Event> = (0..3_000).map(event).collect();
    for (partition, events) in (0_u32..).zip(old.chunks(1_500)) {
        scene.take(partition, 0, events).await;
    }
    let little = scene.replay().with_lake(scene.lake.clone(), 1);
    let report = little.run(days(DAY, DAY)).await.unwrap();
    assert_eq!((report.read, report.taken, report.days[0].from_raw), (2_000, 2_000, 2_000));
    scene.settle().await;
    assert_eq!(scene.seen().await, (3_000, 3_000, 2_000));
    let wanted: Vec<Event> = (0..3_000).map(|n| if n % 3 == 0 { event(n) } else { newer(&event(n)) }).collect();
    assert!(scene.events().await == wanted);
    // In as few files as fit with more.
    let again = ReplayRequest { user_agent: AgentSays::Rules, ..days(NEXT, NEXT) };
    assert_eq!(scene.asked(&again).await.unwrap().taken, 1_000);
    assert_eq!(scene.seen().await, (3_000, 3_000, 3_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_object_with_another_event_at_the_place_is_named_and_nothing_changes() {
    let scene = Scene::start().await;
    scene.take(0, 0, &two_days()).await;
    let (version, rows_before) = (scene.version().await, scene.rows().await);
    let mut wrong = rows(0, &two_days());
    wrong[4].1 = RawRow::Event(Box::new(older(999, 0)));
    scene.bucket.land("l", 0, &wrong).await;
    let error = scene.asked(&days(DAY, DAY)).await.unwrap_err();
    assert!(matches!(error, ReplayError::OtherEvent { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("at l/0 offset 4 the lake has event") && text.contains(&Uuid::from_u128(999).to_string()), "{text}");
    assert!(scene.version().await == version && scene.rows().await == rows_before);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_asked_for_in_order() {
    let scene = Scene::start().await;
    let wrong = scene.asked(&days(NEXT, DAY)).await.unwrap_err().to_string();
    assert_eq!(wrong, "2026-11-25 to 2026-11-24 are no days to replay: the first comes first, and there are at most ten years of them");
    assert!(scene.asked(&days("1990-01-01", DAY)).await.is_err());
    assert!(scene.asked(&days(DAY, NEXT)).await.unwrap().days.is_empty());
    let read = |text: &str| serde_json::from_str::<ReplayRequest>(text);
    let asked = read(r#"{"source":{"kind":"days","from_day":"2026-11-24","to_day":"2026-11-24"},"user_agent":"rules"}"#).unwrap();
    assert_eq!((asked.user_agent, asked.source), (AgentSays::Rules, days(DAY, DAY).source));
    assert!(read(r#"{"source":{"kind":"days","from_day":"2026-11-24"}}"#).unwrap_err().to_string().contains("to_day"));
    assert!(matches!(days(DAY, NEXT).source, ReplaySource::Days { .. }));
}
