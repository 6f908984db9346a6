//! The table's promises: one winner per version, watermarks of all partitions, files found again.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeError, Watermarks, place};
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
