//! The table's promises: one winner per version, watermarks of all partitions, files found again.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use clickstream_event::Micros;
use clickstream_lake::{
    Change, Expiry, Lake, LakeDays, LakeError, NewFile, PlaceCounts, Replay, Vacuum, Watermarks, WrittenBy, day_of, moments_of, place,
};
use jiff::civil::Date;
use object_store::{ObjectStore, memory::InMemory};

async fn lake(bucket: &Arc<dyn ObjectStore>) -> Lake {
    Lake::open_on(Arc::clone(bucket), "clickstream").await.unwrap()
}

fn next(partition: u32, offset: u64) -> Watermarks {
    [(place("log", partition), offset)].into()
}

#[tokio::test]
async fn of_two_commits_on_one_version_one_wins() {
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (a, b) = (lake(&bucket).await, lake(&bucket).await);
    let (base_a, base_b) = (a.snapshot().await.unwrap(), b.snapshot().await.unwrap());
    assert_eq!(base_a.version, base_b.version);
    let file = a.write_file(Bytes::from_static(b"x"), 3, (Micros(5_000), Micros(9_001)), (Micros(5_000), Micros(9_000))).await.unwrap();
    let version = a.commit(&base_a, &[file], &next(0, 10)).await.unwrap();
    assert_eq!(version, base_a.version + 1);
    assert!(matches!(b.commit(&base_b, &[], &next(1, 4)).await, Err(LakeError::Lost(_))));
    let again = b.snapshot().await.unwrap();
    assert_eq!(again.watermarks, next(0, 10));
    b.commit(&again, &[], &next(1, 4)).await.unwrap();

    let seen = a.snapshot().await.unwrap();
    assert_eq!((seen.version, seen.files.len()), (version + 1, 1));
    assert_eq!((seen.files[0].rows, seen.files[0].original_at_min, seen.files[0].original_at_max), (3, Micros(5_000), Micros(10_000)));
    assert_eq!(a.read_file(&seen.files[0].path).await.unwrap(), "x");
    let mut both = next(0, 10);
    both.extend(next(1, 4));
    assert_eq!(seen.watermarks, both);
}

#[tokio::test]
async fn versions_tell_what_they_added_also_past_checkpoints() {
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let one = lake(&bucket).await;
    for offset in 1..=45 {
        let base = one.snapshot().await.unwrap();
        let file = one.write_file(Bytes::from_static(b"x"), 1, (Micros(1), Micros(2)), (Micros(1), Micros(2))).await.unwrap();
        one.commit(&base, &[file], &next(0, offset)).await.unwrap();
    }
    let other = lake(&bucket).await;
    let snapshot = other.snapshot().await.unwrap();
    assert_eq!((snapshot.version, snapshot.files.len(), snapshot.watermarks), (45, 45, next(0, 45)));
    let versions = other.versions(40, 45).await.unwrap();
    assert_eq!(versions.len(), 6);
    assert_eq!((versions[0].version, versions[0].added().len(), &versions[0].watermarks), (40, 1, &next(0, 40)));
}

#[tokio::test]
async fn days_that_are_too_old_leave_by_a_version_of_their_own() {
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (one, other) = (lake(&bucket).await, lake(&bucket).await);
    for (offset, from) in [(4, 0), (9, 5_000)] {
        let base = one.snapshot().await.unwrap();
        let span = (Micros(from), Micros(from + 1_000));
        let file = one.write_file(Bytes::from_static(b"x"), 4, span, span).await.unwrap();
        let taken = [(place("log", 0), PlaceCounts { rows: 4, ..PlaceCounts::default() })].into();
        one.commit_counted(&base, &[file], &next(0, offset), &taken).await.unwrap();
    }
    let base = one.snapshot().await.unwrap();
    let expiry = Expiry {
        before: "2026-11-25".parse().unwrap(),
        removed: base.files.iter().filter(|file| file.occurred_at_max < Micros(5_000)).cloned().collect(),
        rows: [(place("log", 0), 3)].into(),
    };
    let version = one.expire(&base, &expiry).await.unwrap();
    assert_eq!((version, matches!(other.expire(&base, &expiry).await, Err(LakeError::Lost(_)))), (base.version + 1, true));

    let seen = lake(&bucket).await.snapshot().await.unwrap();
    assert_eq!((seen.version, seen.files.len(), &seen.watermarks), (version, 1, &base.watermarks));
    let counts = &other.counts(version).await.unwrap()[&place("log", 0)];
    let before = &other.counts(base.version).await.unwrap()[&place("log", 0)];
    assert_eq!((counts.rows + 3, counts.expired, before.expired), (before.rows, 3, 0));
    let said = other.versions(version, version).await.unwrap().remove(0);
    assert!(matches!(&said.change, Change::Expire { before } if before.to_string() == "2026-11-25"), "{said:?}");
    assert!(one.committed_at(version).await.unwrap().is_some() && one.committed_at(version + 1).await.unwrap().is_none());
}

#[test]
fn days_are_a_number_or_nothing() {
    assert_eq!(LakeDays::parse("").unwrap().days(), None);
    assert_eq!(LakeDays::parse("31").unwrap().days(), Some(31));
    for wrong in ["30", "36501", "-1", "a month"] {
        let said = LakeDays::parse(wrong).unwrap_err().to_string();
        assert_eq!(said, format!("LAKE_DAYS={wrong:?} is wrong: days from 31 to 36500, or nothing to keep all"));
    }
}

#[test]
fn a_day_leaves_an_hour_after_its_marts_are_closed() {
    let days = LakeDays::parse("60").unwrap();
    let first_kept = |now: &str| days.first_kept(Micros(now.parse::<jiff::Timestamp>().unwrap().as_microsecond())).unwrap().to_string();
    assert_eq!(first_kept("2026-11-27T00:59:59Z"), "2026-09-27");
    assert_eq!(first_kept("2026-11-27T01:00:00Z"), "2026-09-28");
    assert_eq!(LakeDays::default().first_kept(Micros::now()), None);
}

#[test]
fn a_day_has_its_moments() {
    let day = Date::constant(2026, 11, 24);
    let (from, to) = moments_of(day);
    assert_eq!((from.to_string().as_str(), to.0 - from.0), ("2026-11-24T00:00:00.000000Z", Micros::DAY));
    assert_eq!((day_of(from), day_of(to.plus(-1)), day_of(to)), (Some(day), Some(day), day.tomorrow().ok()));
    assert_eq!((day_of(Micros(-1)), day_of(Micros(i64::MAX))), (Some(Date::constant(1969, 12, 31)), None));
}

async fn file(lake: &Lake, rows: u64, from: Micros, to: Micros) -> NewFile {
    lake.write_file(Bytes::from_static(b"x"), rows, (from, to), (from, to)).await.unwrap()
}

#[tokio::test]
async fn a_replay_puts_a_day_in_place_and_says_so() {
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = lake(&bucket).await;
    let day = Date::constant(2026, 11, 24);
    let (from, to) = moments_of(day);
    let base = lake.snapshot().await.unwrap();
    let old = file(&lake, 10, from, to.plus(5)).await;
    let counts = PlaceCounts { rows: 10, ..PlaceCounts::default() };
    lake.commit_counted(&base, std::slice::from_ref(&old), &next(0, 10), &[(place("log", 0), counts)].into()).await.unwrap();
    let base = lake.snapshot().await.unwrap();
    let replay = Replay {
        day,
        removed: vec![old.file.clone()],
        added: vec![file(&lake, 6, from, from).await],
        moved: vec![file(&lake, 3, to, to).await],
        happened_on: [day].into(),
        erased: [(place("log", 0), 1)].into(),
    };
    let short = Replay { erased: [].into(), ..replay.clone() };
    let error = lake.replay(&base, &short).await.unwrap_err().to_string();
    assert!(error.contains("9 rows and 0 erased ones in place of 10"), "{error}");
    assert_eq!(lake.replay(&base, &replay).await.unwrap(), 2);
    assert!(matches!(lake.replay(&base, &replay).await, Err(LakeError::Lost(2))));

    let said = lake.versions(1, 2).await.unwrap();
    let Change::Replay { day: of, happened_on, files } = &said[1].change else { panic!("{said:?}") };
    assert_eq!((*of, happened_on.len(), &files[..]), (day, 1, &[replay.added[0].file.clone()][..]));
    assert_eq!((said[1].watermarks.clone(), said[1].added().len()), (next(0, 10), 1));
    let counts = lake.counts(2).await.unwrap()["log/0"];
    assert_eq!((counts.rows, counts.erased, counts.total()), (9, 1, 10));
    let standing: Vec<u64> = lake.snapshot().await.unwrap().files.iter().map(|file| file.rows).collect();
    assert_eq!((standing.iter().sum::<u64>(), standing.len()), (9, 2));
    let by = lake.written_by(2).await.unwrap();
    assert_eq!(by, WrittenBy { program: Some(env!("CARGO_PKG_VERSION").to_owned()), schema: Some(1) });
    assert_eq!(lake.written_by(0).await.unwrap(), WrittenBy::default());

    // What it brought stays until it is settled, also when other files stand in its place by then.
    let base = lake.snapshot().await.unwrap();
    let merged = file(&lake, 9, from, to).await;
    let rewrite = clickstream_lake::Rewrite { removed: base.files.clone(), added: vec![merged], erased: None };
    lake.rewrite(&base, &rewrite).await.unwrap();
    let later = Micros::now().plus(Micros::HOUR);
    let gone = lake.vacuum(&Vacuum::older_than(Some(1), later).dry_run()).await.unwrap();
    assert!(!gone.files.contains(&replay.added[0].file.path), "{gone:?}");
    let gone = lake.vacuum(&Vacuum::older_than(Some(3), later)).await.unwrap();
    assert!(gone.files.contains(&replay.added[0].file.path) && gone.files.contains(&replay.moved[0].file.path), "{gone:?}");
}
