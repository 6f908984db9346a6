//! Killed at any moment: what was acknowledged is there, once, and offsets are whole.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use clickstream_log::{Log, Record, sqlite::SqliteLog};

const FOLDER: &str = "CLICKSTREAM_TEST_LOG_FOLDER";
const TOPIC: &str = "events";
const PARTITIONS: u32 = 3;
const KILLS: u32 = 12;

/// Not a test by itself: the process that is killed. It appends from several tasks and prints each
/// acknowledged `partition offset value`, until it dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let log = SqliteLog::open(Path::new(&folder)).unwrap();
    log.create_topic(TOPIC, PARTITIONS).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let log = log.clone();
        tasks.spawn(async move {
            for round in 0_u64.. {
                let values: Vec<String> =
                    (0..7).map(|i| format!("{}-{task}-{round}-{i}-{}", std::process::id(), "x".repeat(300))).collect();
                let records = values.iter().map(|v| Record { value: v.clone().into(), ..Record::default() });
                let positions = log.append(TOPIC, records.collect()).await.unwrap();
                if round % 50 == 49 {
                    // Deleting runs between commits and must not disturb them either.
                    log.expire(TOPIC, 2, positions[0].offset / 2).await.unwrap();
                }
                // One write for all, so that lines of several tasks do not mix.
                let lines = positions.iter().zip(&values);
                let lines: Vec<_> = lines.map(|(p, v)| format!("ack {} {} {v}", p.partition, p.offset)).collect();
                println!("{}", lines.join("\n"));
            }
        });
    }
    tasks.join_all().await;
}

/// Kills the child after `pause` and returns what it acknowledged.
fn killed_after(folder: &Path, pause: Duration) -> Vec<(u32, u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite_crash::child_that_appends_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let listener = std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for line in output.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let words: Vec<_> = line.split(' ').collect();
            // The last line may be cut.
            if let ["ack", partition, offset, value] = words[..]
                && value.ends_with(&"x".repeat(300))
            {
                acknowledged.push((partition.parse().unwrap(), offset.parse().unwrap(), value.to_owned()));
            }
        }
        acknowledged
    });
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap()
}

#[tokio::test]
async fn killed_at_any_moment_the_log_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: HashMap<(u32, u64), String> = HashMap::new();
    let mut log_id = None;
    for kill in 0..KILLS {
        let life = Duration::from_millis(60 + u64::from(kill * 37 % 11) * 25);
        let folder = dir.path().to_owned();
        let said = tokio::task::spawn_blocking(move || killed_after(&folder, life)).await.unwrap();
        for (partition, offset, value) in said {
            let before = acknowledged.insert((partition, offset), value);
            assert!(before.is_none(), "offset {offset} of partition {partition} was given twice");
        }

        let log = SqliteLog::open(dir.path()).unwrap();
        let said = log.log_id().await.unwrap();
        assert_eq!(*log_id.get_or_insert_with(|| said.clone()), said);
        log.create_topic(TOPIC, PARTITIONS).await.unwrap();
        let mut kept = HashMap::new();
        let extents = log.extents(TOPIC).await.unwrap();
        for extent in &extents {
            let mut from = extent.start;
            while from < extent.end {
                for record in log.read(TOPIC, extent.partition, from, 5_000, 4 << 20).await.unwrap() {
                    assert_eq!(record.offset, from, "a hole");
                    from += 1;
                    kept.insert((extent.partition, record.offset), record.record.value);
                }
            }
        }
        for ((partition, offset), value) in &acknowledged {
            if *offset >= extents[*partition as usize].start {
                assert_eq!(kept[&(*partition, *offset)], value.as_bytes());
            }
        }
        log.close().await;
    }
    assert!(acknowledged.len() > 1_000, "too little was appended to mean anything: {}", acknowledged.len());
}
