//! Batches with events of people who are erased.

use std::sync::Arc;

use bytes::Bytes;
use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_erasure::{ERASED, Kind, Person, Tombstone, Tombstones};
use clickstream_event::Event;
use clickstream_land::Land;
use clickstream_log::{Batch, EVENTS, LoggedRecord, Record};
use clickstream_objects::Objects as _;
use clickstream_testkit::{
    s3::Bucket,
    sample::{BEGIN, click, value},
};

fn batch(users: &[&str]) -> Batch {
    let event = |(id, user): (u64, &&str)| Event { user_id: Some((*user).to_owned()), ..click(id.into(), 0) };
    let record = |(offset, user)| LoggedRecord {
        offset,
        appended_at: 1,
        record: Record { key: None, value: Bytes::from(value(&event((offset, user)))), headers: Vec::new() },
    };
    Batch { topic: EVENTS.to_owned(), partition: 0, records: (0..).zip(users).map(record).collect() }
}

/// Whose rows an object has, by offset; none for an erased one.
async fn users(bucket: &Bucket, key: &str) -> Vec<Option<String>> {
    let (_, bytes) = bucket.objects.get(key).await.unwrap();
    let mut rows: Vec<_> = read_parquet(bytes).unwrap().iter().flat_map(|b| records(b).unwrap()).collect();
    rows.sort_by_key(|row| row.log_offset);
    let user = |row: RawRow| match row {
        RawRow::Event(event) => event.user_id,
        RawRow::DeadLetter(bytes) => {
            assert_eq!(bytes, ERASED);
            None
        }
    };
    rows.into_iter().map(|row| user(row.row)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_event_leaves_its_offset_and_a_batch_that_comes_again_is_no_other() {
    let bucket = Bucket::start().await;
    let tombstones = Arc::new(Tombstones::new(bucket.objects.clone(), None));
    let land = Land::new(bucket.objects.clone(), "l".to_owned()).with_tombstones(tombstones.clone());
    let landed = land.handle(&batch(&["ann", "bob"])).await.unwrap();
    assert_eq!(users(&bucket, &landed.key).await, [Some("ann".to_owned()), Some("bob".to_owned())]);
    let metadata = bucket.objects.head(&landed.key).await.unwrap().metadata;

    let hash = tombstones.key().await.unwrap().hash("shop", &Person::User("ann".to_owned()));
    tombstones.bury(&[Tombstone { site_id: "shop".to_owned(), kind: Kind::User, hash, erased_at: BEGIN }]).await.unwrap();
    // Its offset was not committed: it comes again, also to a process that has not seen the tombstone yet.
    for land in [land, Land::new(bucket.objects.clone(), "l".to_owned())] {
        assert_eq!(land.handle(&batch(&["ann", "bob"])).await.unwrap(), landed);
        assert_eq!(users(&bucket, &landed.key).await, [None, Some("bob".to_owned())]);
        let mut now = bucket.objects.head(&landed.key).await.unwrap().metadata;
        assert!(now.remove("landed-at").is_some(), "a rewritten object says since when it stands");
        assert_eq!(now, metadata);
        // A batch that is landed for the first time.
        let whole = land.handle(&batch(&["ann", "bob", "ann"])).await.unwrap();
        assert_eq!(users(&bucket, &whole.key).await, [None, Some("bob".to_owned()), None]);
    }
}
