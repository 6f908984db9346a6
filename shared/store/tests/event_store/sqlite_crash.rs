//! Killed at any moment: what was answered is there, and indexes and payloads agree.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use clickstream_event::Micros;
use clickstream_store::{
    Cursor, EventStore, Found, Person,
    conformance::{event, rejection},
    sqlite::SqliteStore,
};
use uuid::Uuid;

const FOLDER: &str = "CLICKSTREAM_TEST_STORE_FOLDER";
const SITE: &str = "demo";
const KILLS: u64 = 8;
/// 2000-01-01T00:00:00Z; what is older is made to expire.
const OLD: Micros = Micros(946_684_800 * Micros::SECOND);

/// Not a test by itself: the process that is killed. It prints the ids of each answered put.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_puts_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = SqliteStore::open(Path::new(&folder)).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let store = store.clone();
        tasks.spawn(async move {
            for round in 0_i64.. {
                let events: Vec<_> = (0..100)
                    .map(|i| {
                        let mut logged = event(SITE, round * 100 + i);
                        logged.event.user_id = Some("ann".to_owned());
                        logged
                    })
                    .collect();
                store.put_events(&events).await.unwrap();
                store.put_rejections(&[rejection(SITE, round)]).await.unwrap();
                if round % 10 == 9 {
                    // Something old comes and goes, so that kills meet an expiry too.
                    let old: Vec<_> = (0..200).map(|i| event(SITE, i - 1_000_000_000)).collect();
                    store.put_events(&old).await.unwrap();
                    store.expire(OLD, OLD).await.unwrap();
                }
                // One write for all, so that lines of several tasks do not mix.
                let lines: Vec<_> = events.iter().map(|e| format!("ack {}", e.event.event_id)).collect();
                println!("{}", lines.join("\n"));
            }
        });
    }
    tasks.join_all().await;
}

/// Kills the child after `pause` and returns what was answered to it.
fn killed_after(folder: &Path, pause: Duration) -> Vec<Uuid> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite_crash::child_that_puts_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines.filter_map(|line| Uuid::parse_str(line.strip_prefix("ack ")?).ok()).collect()
    });
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test]
async fn killed_at_any_moment_the_store_keeps_what_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut answered: Vec<Uuid> = Vec::new();
    for kill in 0..KILLS {
        let life = Duration::from_millis(80 + kill * 41 % 200);
        let folder = dir.path().to_owned();
        answered.extend(tokio::task::spawn_blocking(move || killed_after(&folder, life)).await.unwrap());

        let store = SqliteStore::open(dir.path()).unwrap();
        for id in answered.iter().rev().take(3_000) {
            let found = store.find(Some(SITE), *id).await.unwrap();
            assert!(matches!(found, Some(Found::Event(_))), "{id} was answered and is lost");
        }
        store.expire(OLD, OLD).await.unwrap();
        let ann = Person::User("ann".to_owned());
        let mut in_timeline = BTreeSet::new();
        let mut after = None;
        loop {
            let page = store.timeline(SITE, &ann, after, 5_000).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Cursor { original_at: last.event.original_at, event_id: last.event.event_id });
            in_timeline.extend(page.iter().map(|e| e.event.event_id));
        }
        assert!(answered.iter().all(|id| in_timeline.contains(id)));
        assert_eq!(Some(in_timeline.len() as u64), store.count().await.unwrap(), "the index, the timeline and the count agree");
        store.close().await;
    }
    assert!(answered.len() > 1_000, "too little was put to mean anything: {}", answered.len());
}
