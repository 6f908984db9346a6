//! What every bucket must do, whatever serves it. Each check uses keys of its own under `check/`.

#![expect(clippy::missing_panics_doc, reason = "a check panics where it fails")]

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;

use crate::{Condition, Notifications, ObjectError, Objects, PutOptions};

/// Runs every check of a bucket.
///
/// # Panics
/// If a check fails, naming what was wanted.
pub async fn all(objects: &dyn Objects) {
    what_is_put_is_got(objects).await;
    a_missing_object_is_not_found(objects).await;
    of_racing_creates_one_wins(objects).await;
    a_stale_overwrite_is_refused(objects).await;
    listings_are_in_order_and_go_on_after_a_key(objects).await;
    odd_keys_are_keys_like_any_other(objects).await;
    a_large_file_is_put_in_parts(objects).await;
    a_delete_may_be_repeated(objects).await;
}

fn options(condition: Condition) -> PutOptions {
    PutOptions { condition, ..PutOptions::default() }
}

async fn put(objects: &dyn Objects, key: &str, body: &'static [u8]) -> String {
    objects.put(key, Bytes::from_static(body), PutOptions::default()).await.expect("a put succeeds")
}

/// Bytes, ranges, streams and metadata.
pub async fn what_is_put_is_got(objects: &dyn Objects) {
    let metadata: BTreeMap<_, _> = [("log-id".to_owned(), "a b".to_owned())].into();
    let with = PutOptions { metadata: metadata.clone(), content_type: Some("text/plain".to_owned()), ..PutOptions::default() };
    let etag = objects.put("check/got", Bytes::from_static(b"0123456789"), with).await.expect("a put succeeds");
    let (info, body) = objects.get("check/got").await.expect("the object is there");
    assert_eq!((body.as_ref(), info.size, &info.etag, &info.metadata), (&b"0123456789"[..], 10, &etag, &metadata));
    assert_eq!(objects.head("check/got").await.expect("the object is there").metadata, metadata);
    assert_eq!(objects.get_range("check/got", 2, 5).await.expect("a range is read"), "234");
    let (_, mut stream) = objects.get_stream("check/got").await.expect("a stream opens");
    let mut streamed = Vec::new();
    while let Some(chunk) = stream.next().await {
        streamed.extend_from_slice(&chunk.expect("a chunk is read"));
    }
    assert_eq!(streamed, b"0123456789");
    put(objects, "check/empty", b"").await;
    assert!(objects.get("check/empty").await.expect("an empty object is an object").1.is_empty());
}

/// Get, head and range of nothing.
pub async fn a_missing_object_is_not_found(objects: &dyn Objects) {
    assert!(matches!(objects.get("check/none").await, Err(ObjectError::NotFound(_))));
    assert!(matches!(objects.head("check/none").await, Err(ObjectError::NotFound(_))));
}

/// `If-None-Match: *` from sixteen writers at once.
pub async fn of_racing_creates_one_wins(objects: &dyn Objects) {
    objects.delete("check/race").await.expect("a delete succeeds");
    let writers = (0..16_u8).map(|n| objects.put("check/race", Bytes::from(vec![n; 1_000]), options(Condition::Absent)));
    let outcomes = futures::future::join_all(writers).await;
    let won: Vec<_> = outcomes.iter().enumerate().filter(|(_, o)| o.is_ok()).map(|(n, _)| n as u8).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|o| matches!(o, Ok(_) | Err(ObjectError::PreconditionFailed(_)))), "{outcomes:?}");
    assert_eq!(objects.get("check/race").await.expect("the winner's object is there").1, vec![won[0]; 1_000]);
}

/// `If-Match` with an old `ETag`, and on nothing.
pub async fn a_stale_overwrite_is_refused(objects: &dyn Objects) {
    let old = put(objects, "check/match", b"one").await;
    let new =
        objects.put("check/match", Bytes::from_static(b"two"), options(Condition::Matches(old.clone()))).await.expect("the ETag is right");
    let stale = objects.put("check/match", Bytes::from_static(b"three"), options(Condition::Matches(old))).await;
    assert!(matches!(stale, Err(ObjectError::PreconditionFailed(_))), "{stale:?}");
    let (info, body) = objects.get("check/match").await.expect("the object is there");
    assert_eq!((body.as_ref(), info.etag), (&b"two"[..], new));
}

/// Order, prefix, start-after, and more keys than one page holds.
pub async fn listings_are_in_order_and_go_on_after_a_key(objects: &dyn Objects) {
    for batch in (0..1_050).collect::<Vec<_>>().chunks(50) {
        let names: Vec<String> = batch.iter().map(|n| format!("check/list/{n:05}")).collect();
        let puts = names.iter().map(|key| objects.put(key, Bytes::new(), PutOptions::default()));
        assert!(futures::future::join_all(puts).await.iter().all(Result::is_ok));
    }
    put(objects, "check/list0", b"").await;
    let keys = |infos: Vec<crate::ObjectInfo>| infos.into_iter().map(|i| i.key).collect::<Vec<_>>();
    let all = keys(objects.list("check/list/", None, 5_000).await.expect("a listing succeeds"));
    assert_eq!(all.len(), 1_050);
    assert!(all.is_sorted());
    let after = keys(objects.list("check/list/", Some("check/list/00009"), 2).await.expect("a listing succeeds"));
    assert_eq!(after, ["check/list/00010", "check/list/00011"]);
    assert!(objects.list("check/list/", Some("check/list/~"), 2).await.expect("a listing succeeds").is_empty());
}

/// Spaces, `+`, `%`, and other scripts.
pub async fn odd_keys_are_keys_like_any_other(objects: &dyn Objects) {
    let keys = ["check/odd/a b+c%20d=e", "check/odd/клик/日本 ☃", "check/odd/.hidden/x", "check/odd/q?x#y&z"];
    for key in keys {
        objects.put(key, Bytes::from(key), PutOptions::default()).await.unwrap_or_else(|e| panic!("{key}: {e}"));
    }
    for key in keys {
        assert_eq!(objects.get(key).await.unwrap_or_else(|e| panic!("{key}: {e}")).1, key);
    }
    let mut listed: Vec<_> = objects.list("check/odd/", None, 100).await.expect("a listing succeeds").into_iter().map(|i| i.key).collect();
    listed.sort();
    let mut wanted = keys.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(listed, wanted);
}

/// A key that is another's folder. `MinIO` keeps both and lists the first alone, so our own keys are never so.
pub async fn a_key_may_be_the_folder_of_another(objects: &dyn Objects) {
    for key in ["check/nested/f", "check/nested/f/g"] {
        put(objects, key, b"").await;
    }
    assert_eq!(objects.list("check/nested/", None, 9).await.expect("a listing succeeds").len(), 2);
}

/// 20 MB by multipart upload, also with a condition.
pub async fn a_large_file_is_put_in_parts(objects: &dyn Objects) {
    let path = std::env::temp_dir().join(format!("clickstream-large-{}", uuid::Uuid::new_v4()));
    let block: Vec<u8> = (0..1_000_003_u32).map(|n| (n % 251) as u8).collect();
    let mut file = std::fs::File::create(&path).expect("a temporary file");
    for _ in 0..20 {
        file.write_all(&block).expect("a temporary file");
    }
    drop(file);
    objects.delete("check/large").await.expect("a delete succeeds");
    objects.put_file("check/large", &path, options(Condition::Absent)).await.expect("a large file is put");
    let again = objects.put_file("check/large", &path, options(Condition::Absent)).await;
    let _ = std::fs::remove_file(&path);
    assert!(matches!(again, Err(ObjectError::PreconditionFailed(_))), "{again:?}");
    let (info, body) = objects.get("check/large").await.expect("the object is there");
    assert_eq!(info.size, 20 * block.len() as u64);
    assert!(body.chunks(block.len()).all(|chunk| chunk == block));
}

/// A delete of what is not there is no error.
pub async fn a_delete_may_be_repeated(objects: &dyn Objects) {
    put(objects, "check/gone", b"x").await;
    for _ in 0..2 {
        objects.delete("check/gone").await.expect("a delete succeeds");
    }
    assert!(matches!(objects.head("check/gone").await, Err(ObjectError::NotFound(_))));
}

/// Every write is announced until it is acknowledged; what is refused comes again.
///
/// # Panics
/// If a notification is missing, comes twice, or is another's.
pub async fn writes_are_announced(objects: &dyn Objects, notifications: &dyn Notifications) {
    for key in ["raw/n/1", "raw/n/2 +%☃", "inbox/n/3"] {
        put(objects, key, b"abc").await;
    }
    let first = notifications.receive("raw/n/", 1).await.expect("a notification comes");
    assert_eq!((first.len(), first[0].notification.key.as_str(), first[0].notification.size), (1, "raw/n/1", 3));
    let second = notifications.receive("raw/n/", 10).await.expect("a notification comes");
    assert_eq!(second.iter().map(|d| d.notification.key.as_str()).collect::<Vec<_>>(), ["raw/n/2 +%☃"]);
    notifications.refuse(second[0].id, Duration::from_millis(50)).await.expect("a refusal is taken");
    let again = notifications.receive("raw/n/", 10).await.expect("a notification comes again");
    assert_eq!((again[0].id, again[0].attempts), (second[0].id, 1));
    notifications.acknowledge(&[first[0].id, again[0].id]).await.expect("an acknowledgement is taken");
    assert_eq!(notifications.pending("raw/n/").await.expect("a count"), 0);
    assert_eq!(notifications.pending("inbox/n/").await.expect("a count"), 1);
    let refused = objects.put("inbox/n/3", Bytes::new(), options(Condition::Absent)).await;
    assert!(matches!(refused, Err(ObjectError::PreconditionFailed(_))));
    assert_eq!(notifications.pending("inbox/n/").await.expect("a count"), 1, "a write that did not take place is not announced");
}

/// Tags stand beside each other, one of a name, until the object is written anew.
pub async fn tags_stand_beside_each_other(objects: &dyn Objects) {
    put(objects, "check/tagged", b"x").await;
    let tag = async |name: &str, value: &str| objects.tag("check/tagged", name, value).await.expect("a tag is put");
    assert!(tag("colour", "red").await);
    assert!(tag("expired", "true").await);
    assert!(!tag("expired", "true").await, "it has it");
    assert!(!tag("colour", "red").await, "the other stays");
    assert!(tag("colour", "blue").await);
    put(objects, "check/tagged", b"y").await;
    assert!(tag("expired", "true").await, "it was written anew");
    let missing = objects.tag("check/none", "expired", "true").await;
    assert!(matches!(missing, Err(ObjectError::NotFound(_))), "{missing:?}");
}

/// A bucket that keeps no tags says so, and not that it may work later.
pub async fn tags_are_refused(objects: &dyn Objects) {
    put(objects, "check/untagged", b"x").await;
    let refused = objects.tag("check/untagged", "expired", "true").await;
    assert!(matches!(&refused, Err(ObjectError::Refused(why)) if why.contains("keeps no tags")), "{refused:?}");
}

/// A bucket without versions has none to list, and an object goes whole at once.
pub async fn without_versions_an_object_goes_at_once(objects: &dyn Objects) {
    assert!(!objects.keeps_versions().await.expect("an answer"));
    for body in [&b"one"[..], b"two"] {
        put(objects, "check/whole", body).await;
    }
    assert_eq!(objects.delete_old_versions("check/whole").await.expect("an answer"), 0);
    assert_eq!(objects.delete_whole("check/whole").await.expect("a delete succeeds"), 1);
    assert!(matches!(objects.head("check/whole").await, Err(ObjectError::NotFound(_))));
}

/// Versions of `prefix`: key, whether it stands, whether it is a marker.
async fn versions_of(objects: &dyn Objects, prefix: &str) -> Vec<(String, bool, bool)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = objects.versions(prefix, after.as_ref()).await.expect("versions are listed");
        found.extend(page.versions.into_iter().map(|v| (v.key, v.is_latest, v.is_marker)));
        after = page.next;
        if after.is_none() {
            found.sort();
            return found;
        }
    }
}

/// A bucket that keeps versions, switched on after an object stood: what is old goes and what stands stays; of a removed
/// object everything goes. `before` is such an object, under `check/`.
pub async fn old_versions_go_and_what_stands_stays(objects: &dyn Objects, before: &str) {
    assert!(objects.keeps_versions().await.expect("an answer"));
    // One of before, and a neighbour whose key begins the same.
    put(objects, before, b"second").await;
    put(objects, &format!("{before}-neighbour"), b"n1").await;
    put(objects, &format!("{before}-neighbour"), b"n2").await;
    objects.delete(before).await.expect("a delete succeeds");
    put(objects, before, b"third").await;
    let page = objects.versions(before, None).await.expect("versions are listed");
    let older = page.versions.iter().find(|v| v.key == before && v.version_id == "null").expect("the object of before");
    assert_eq!(objects.get_version(before, &older.version_id).await.expect("an older version is read"), "first");
    assert_eq!(objects.delete_old_versions(before).await.expect("versions go"), 3, "two objects and a marker");
    assert_eq!(objects.get(before).await.expect("it stands").1, "third");
    let neighbour = format!("{before}-neighbour");
    let left = [(before.to_owned(), true, false), (neighbour.clone(), false, false), (neighbour.clone(), true, false)];
    assert_eq!(versions_of(objects, before).await, left);
    assert_eq!(objects.delete_old_versions(before).await.expect("again changes nothing"), 0);

    objects.delete(before).await.expect("a delete succeeds");
    assert_eq!(objects.delete_old_versions(before).await.expect("versions go"), 2, "the object and the marker");
    assert_eq!(objects.delete_whole(&neighbour).await.expect("all goes"), 2);
    assert_eq!(versions_of(objects, before).await, []);
}

/// More versions of one object than a page holds: none of them stands again while the rest goes.
pub async fn many_versions_of_a_removed_object_go(objects: &dyn Objects) {
    for batch in (0..1_020).collect::<Vec<_>>().chunks(30) {
        let puts = batch.iter().map(|_| objects.put("check/many", Bytes::from_static(b"v"), PutOptions::default()));
        assert!(futures::future::join_all(puts).await.iter().all(Result::is_ok));
    }
    objects.delete("check/many").await.expect("a delete succeeds");
    let page = objects.versions("check/many", None).await.expect("versions are listed");
    assert!(page.next.is_some(), "they fill more than a page");
    assert_eq!(objects.delete_old_versions("check/many").await.expect("versions go"), 1_021);
    assert_eq!(versions_of(objects, "check/many").await, []);
}
