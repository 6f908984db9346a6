//! Tombstones and the key in a bucket.

use std::{sync::Arc, time::Duration};

use clickstream_erasure::{ErasureKey, Kind, Person, Tombstone, Tombstones};
use clickstream_event::Micros;
use clickstream_objects::{Objects as _, SharedObjects};
use clickstream_testkit::{flaky::Flaky, s3::Bucket, sample::click};

fn ann() -> Person {
    Person::User("ann".to_owned())
}

async fn tombstone(of: &Tombstones, erased_at: Micros) -> Tombstone {
    Tombstone { site_id: "shop".to_owned(), kind: Kind::User, hash: of.key().await.unwrap().hash("shop", &ann()), erased_at }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_buries_every_other_sees_at_once() {
    let bucket = Bucket::start().await;
    let (one, other) = (Tombstones::new(bucket.objects.clone(), None), Tombstones::new(bucket.objects.clone(), None));
    let mut event = click(1, 0);
    event.user_id = Some("ann".to_owned());
    assert!(other.fresh().await.unwrap().is_empty());
    assert!(Arc::ptr_eq(&other.fresh().await.unwrap(), &other.recent().await.unwrap()), "nothing new is not read again");
    assert!(bucket.keys("erasures/").await.is_empty(), "nothing is written before anybody is forgotten");

    one.bury(&[tombstone(&one, event.received_at).await]).await.unwrap();
    assert!(!other.recent().await.unwrap().erases(&event), "a look that is seconds old may miss it");
    assert!(other.fresh().await.unwrap().erases(&event) && other.recent().await.unwrap().erases(&event));
    let later =
        clickstream_event::Event { received_at: event.received_at.plus(1), original_at: event.received_at.plus(1), ..event.clone() };
    assert!(!other.fresh().await.unwrap().erases(&later));

    one.bury(&[tombstone(&one, later.received_at).await]).await.unwrap();
    assert!(other.fresh().await.unwrap().erases(&later), "the newest tombstone of a person rules");
    let keys = bucket.keys("erasures/").await.join(" ");
    assert!(!keys.contains("ann"), "{keys}");
    for key in bucket.keys("erasures/").await {
        let (_, bytes) = bucket.objects.get(&key).await.unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("ann"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bucket_does_not_answer_nobody_is_taken_for_remembered() {
    let bucket = Bucket::start().await;
    let flaky = Arc::new(Flaky::new(bucket.objects.clone()));
    let (one, other) = (Tombstones::new(bucket.objects.clone(), None), Tombstones::new(flaky.clone(), None).with_recent(Duration::ZERO));
    assert!(other.recent().await.unwrap().is_empty());
    one.bury(&[tombstone(&one, Micros(1)).await]).await.unwrap();
    *flaky.withheld.lock().unwrap() = Some("erasures/key.json".to_owned());
    assert!(other.recent().await.is_err_and(|error| error.passes()), "an older look does not stand in");
    *flaky.withheld.lock().unwrap() = None;
    assert!(other.recent().await.unwrap().concerns("shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_made_once_and_another_setting_is_refused() {
    let bucket = Bucket::start().await;
    let objects: SharedObjects = bucket.objects.clone();
    let keys = futures_all(&objects).await;
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    let secret = "0123456789abcdef0123456789abcdef";
    let error = ErasureKey::open(&objects, Some(secret)).await.unwrap_err().to_string();
    assert!(error.contains("made with another key"), "{error}");
    assert!(ErasureKey::open(&objects, Some("short")).await.unwrap_err().to_string().contains("32 characters"));

    let bucket = Bucket::start().await;
    let objects: SharedObjects = bucket.objects.clone();
    let set = ErasureKey::open(&objects, Some(secret)).await.unwrap();
    assert_eq!(ErasureKey::open(&objects, Some(secret)).await.unwrap().hash("shop", &ann()), set.hash("shop", &ann()));
    let error = ErasureKey::open(&objects, None).await.unwrap_err().to_string();
    assert!(error.contains("set ERASURE_KEY"), "{error}");
    let (_, kept) = objects.get("erasures/key.json").await.unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(secret), "a key of the setting is not in the bucket");
}

/// The hash of one id by eight processes that ask for the key at once.
async fn futures_all(objects: &SharedObjects) -> Vec<String> {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let objects = Arc::clone(objects);
            tokio::spawn(async move { ErasureKey::open(&objects, None).await.unwrap().hash("shop", &ann()) })
        })
        .collect();
    let mut hashes = Vec::new();
    for task in tasks {
        hashes.push(task.await.unwrap());
    }
    hashes
}

#[test]
fn a_name_says_the_whole_tombstone() {
    let tombstone = Tombstone { site_id: "shop.a-b_c".to_owned(), kind: Kind::Anonymous, hash: "ab".repeat(32), erased_at: Micros(7) };
    assert_eq!(Tombstone::of_key(&tombstone.key()), Some(tombstone));
    for other in ["erasures/tombstones/shop/state.json", "erasures/tombstones/shop/user-ab-7.json", "erasures/newest.json", "raw/x"] {
        assert_eq!(Tombstone::of_key(other), None, "{other}");
    }
}
