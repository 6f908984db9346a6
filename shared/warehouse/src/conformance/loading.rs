//! Migrations and what is landed.

use clickstream_columns::RawRow;
use clickstream_event::Micros;

use super::{
    count, database, drop_database,
    sample::{event, object, object_of},
};

/// Migrating a migrated database does nothing.
pub async fn migrations_may_be_repeated(url: String) {
    let warehouse = database(&url).await;
    warehouse.insert_raw(object(0, &[event("s", 0, "p")])).await.unwrap();
    warehouse.migrate().await.unwrap();
    assert_eq!(count(&warehouse, "clicks").await, 1);
    drop_database(&warehouse).await;
}

/// The same object, and one that overlaps it, change nothing that is visible.
pub async fn an_object_inserted_again_counts_once(url: String) {
    let warehouse = database(&url).await;
    let events: Vec<_> = (0..50).map(|n| event("s", n, "p")).collect();
    for _ in 0..2 {
        assert_eq!(warehouse.insert_raw(object(0, &events)).await.unwrap(), 50);
    }
    // A retried batch was cut differently.
    assert_eq!(warehouse.insert_raw(object(20, &events[20..])).await.unwrap(), 30);
    assert_eq!(count(&warehouse, "clicks").await, 50);
    drop_database(&warehouse).await;
}

/// Of two copies with different times of arrival the earlier stays, in whatever order they were loaded, and in
/// whatever partition of the table they lie.
pub async fn a_repeat_in_another_object_counts_once_and_the_first_received_stays(url: String) {
    let warehouse = database(&url).await;
    let first = event("s", 0, "p");
    let mut again = first.clone();
    again.received_at = first.received_at.plus(Micros::HOUR);
    again.element_text = Some("Later".to_owned());
    warehouse.insert_raw(object(2_000_000, &[again])).await.unwrap();
    warehouse.insert_raw(object(1, std::slice::from_ref(&first))).await.unwrap();
    let texts: Vec<String> = warehouse.query("SELECT assumeNotNull(element_text) AS text FROM clicks").fetch_all().await.unwrap();
    assert_eq!(texts, ["Buy"]);
    // The same id on another site is another event.
    let mut elsewhere = first;
    "t".clone_into(&mut elsewhere.site_id);
    warehouse.insert_raw(object(2, &[elsewhere])).await.unwrap();
    assert_eq!(count(&warehouse, "clicks").await, 2);
    drop_database(&warehouse).await;
}

/// Records that are no events come with the object and stay out.
pub async fn dead_letters_are_left_out(url: String) {
    let warehouse = database(&url).await;
    let rows = [
        (0, RawRow::DeadLetter(b"\xff\x00".to_vec())),
        (1, RawRow::Event(Box::new(event("s", 0, "p")))),
        (2, RawRow::DeadLetter(Vec::new())),
    ];
    assert_eq!(warehouse.insert_raw(object_of(&rows)).await.unwrap(), 1);
    assert_eq!((count(&warehouse, "clicks").await, count(&warehouse, "fresh").await), (1, 1));
    drop_database(&warehouse).await;
}
