//! Rows are written as of `received_at`, so that a deletion as of a moment takes what was received before it, whatever
//! order writes and deletions come in.

use clickstream_event::Logged;
use clickstream_store::{EventStore, Found, Person, conformance::event};

use crate::cassandra;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_received_before_a_deletion_stays_away_and_what_came_later_stays() {
    let config = cassandra::keyspace().await;
    let store = cassandra::connect(&config).await;
    let mut before = event("shop", 100);
    before.event.user_id = Some("ann".to_owned());
    let mut after = before.clone();
    after.event.received_at = after.event.received_at.plus(2);
    let moment = before.event.received_at.plus(1);
    let other = Logged { event: clickstream_event::Event { event_id: uuid::Uuid::new_v4(), ..before.event.clone() }, ..before.clone() };
    for put_first in [true, false] {
        for logged in [&before, &after, &other].into_iter().filter(|_| put_first) {
            store.put_events(std::slice::from_ref(logged)).await.unwrap();
        }
        for logged in [&before, &other] {
            let (keyspace, id) = (&config.keyspace, logged.event.event_id);
            let text = format!("DELETE FROM {keyspace}.events USING TIMESTAMP {} WHERE event_id = {id} AND site_id = 'shop'", moment.0);
            cassandra::execute(&config, &text).await;
        }
        let timeline = "site_id = 'shop' AND kind = 'user' AND person = 'ann' AND month = 202601";
        let text = format!("DELETE FROM {}.timelines USING TIMESTAMP {} WHERE {timeline}", config.keyspace, moment.0);
        cassandra::execute(&config, &text).await;
        // A replay of the log.
        store.put_events(&[other.clone(), before.clone()]).await.unwrap();
        store.put_events(&[after.clone()]).await.unwrap();
        assert_eq!(store.find(Some("shop"), other.event.event_id).await.unwrap(), None);
        let kept = store.find(None, before.event.event_id).await.unwrap();
        assert_eq!(kept, Some(Found::Event(Box::new(after.clone()))));
        assert_eq!(store.timeline("shop", &Person::User("ann".to_owned()), None, 10).await.unwrap(), [after.clone()]);
    }
    cassandra::remove(&config).await;
}
