//! Members of groups that come, go, and vanish.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::kafka::{self, DEADLINE, TOPIC, at_once, commit, log, next, record, shared, show_logs, values};
use clickstream_log::{Consumer, Log, LogError, kafka::KafkaLog};
use tokio::sync::mpsc;

const GROUP: &str = "group";
/// What a member of another process is told.
const MEMBER_URL: &str = "CLICKSTREAM_TEST_MEMBER_URL";

/// What members have done: who, which partition, which values.
type Done = (usize, u32, Vec<String>);

/// A member that works until it is aborted; each batch takes `work`.
fn member(
    number: usize,
    mut consumer: Box<dyn Consumer>,
    work: Duration,
    done: mpsc::UnboundedSender<Done>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let batch = next(&mut consumer).await;
            tokio::time::sleep(work).await;
            match commit(&mut consumer, &batch).await {
                Ok(()) => drop(done.send((number, batch.partition, values(&batch.records)))),
                Err(error) => println!("member {number}: {error}"),
            }
        }
    })
}

/// Takes what is done until `values` were, and says who did what; nothing may be done twice.
async fn all_of(done: &mut mpsc::UnboundedReceiver<Done>, expected: BTreeSet<String>) -> BTreeMap<usize, BTreeSet<u32>> {
    let (mut seen, mut shares) = (BTreeSet::new(), BTreeMap::<usize, BTreeSet<u32>>::new());
    while seen.len() < expected.len() {
        let (number, partition, values) = tokio::time::timeout(DEADLINE, done.recv()).await.expect("progress").unwrap();
        shares.entry(number).or_default().insert(partition);
        for value in values {
            assert!(expected.contains(&value), "{value} is of an earlier round");
            assert!(seen.insert(value), "done twice");
        }
    }
    shares
}

async fn a_round(log: &KafkaLog, round: usize, done: &mut mpsc::UnboundedReceiver<Done>) -> BTreeMap<usize, BTreeSet<u32>> {
    let expected: BTreeSet<String> = (0..600).map(|i| format!("{round}/{i}")).collect();
    log.append(TOPIC, expected.iter().map(|value| record(value, value.clone())).collect()).await.unwrap();
    all_of(done, expected).await
}

/// Rounds until every one of `members` holds `each` partitions.
async fn balanced(
    log: &KafkaLog,
    rounds: &mut usize,
    done: &mut mpsc::UnboundedReceiver<Done>,
    members: &[usize],
    each: usize,
) -> Duration {
    let began = Instant::now();
    loop {
        *rounds += 1;
        let shares = a_round(log, *rounds, done).await;
        if members.iter().all(|m| shares.get(m).is_some_and(|held| held.len() == each)) {
            return began.elapsed();
        }
        assert!(began.elapsed() < DEADLINE, "{shares:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_come_and_go_do_everything_once() {
    show_logs();
    let (log, url) = log(&shared(), 6).await;
    let (done, mut told) = mpsc::unbounded_channel();
    let work = Duration::from_millis(5);
    let join = async |number| member(number, log.subscribe(GROUP, &[TOPIC], at_once(20)).await.unwrap(), work, done.clone());
    let mut rounds = 0;
    let first = join(1).await;
    println!("alone after {:?}", balanced(&log, &mut rounds, &mut told, &[1], 6).await);
    let second = join(2).await;
    println!("two share after {:?}", balanced(&log, &mut rounds, &mut told, &[1, 2], 3).await);
    let third = join(3).await;
    println!("three share after {:?}", balanced(&log, &mut rounds, &mut told, &[1, 2, 3], 2).await);
    // Aborted in the middle of its work: what it has in hand is done by others, and once.
    second.abort();
    println!("two share again after {:?}", balanced(&log, &mut rounds, &mut told, &[1, 3], 3).await);
    first.abort();
    println!("the last has all after {:?}", balanced(&log, &mut rounds, &mut told, &[3], 6).await);
    third.abort();
    let end: u64 = log.extents(TOPIC).await.unwrap().iter().map(|e| e.end).sum();
    let committed: u64 = log.committed(GROUP, TOPIC).await.unwrap().iter().filter_map(|(_, next)| *next).sum();
    assert_eq!(committed, end);
    kafka::tidy(&url).await;
}

/// Not a test by itself: the member that is killed. It says what it has in hand and keeps it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_holds_its_batches_until_it_is_killed() {
    let Ok(url) = std::env::var(MEMBER_URL) else { return };
    let log = KafkaLog::open(&url).unwrap();
    let mut consumer = log.subscribe(GROUP, &[TOPIC], at_once(5)).await.unwrap();
    loop {
        let batch = next(&mut consumer).await;
        println!("in hand {}", batch.partition);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_killed_without_goodbye_is_replaced_within_seconds() {
    show_logs();
    let url = kafka::private(&shared(), "replication=1");
    let log = KafkaLog::open(&url).unwrap();
    log.create_topic(TOPIC, 2).await.unwrap();
    let sent: BTreeSet<String> = (0..40).map(|i| format!("{i}")).collect();
    log.append(TOPIC, sent.iter().map(|value| record(value, value.clone())).collect()).await.unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kafka_groups::child_that_holds_its_batches_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(MEMBER_URL, &url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = std::io::BufReader::new(child.stdout.take().unwrap());
    tokio::task::spawn_blocking(move || {
        let lines = std::io::BufRead::lines(said).map_while(Result::ok);
        assert_eq!(lines.filter(|line| line.contains("in hand")).take(2).count(), 2, "it holds both partitions");
    })
    .await
    .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = Instant::now();
    let mut consumer = log.subscribe(GROUP, &[TOPIC], at_once(100)).await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < sent.len() {
        let batch = next(&mut consumer).await;
        seen.extend(values(&batch.records));
        commit(&mut consumer, &batch).await.unwrap();
    }
    println!("its partitions were taken over {:?} after the kill", killed.elapsed());
    assert_eq!(seen, sent);
    assert!(killed.elapsed() < Duration::from_secs(30));
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_batch_keeps_its_partition_and_a_late_commit_moves_no_offset_back() {
    show_logs();
    let url = kafka::private(&shared(), "replication=1");
    let (log, slow_log) = (KafkaLog::open(&url).unwrap(), KafkaLog::open(&url).unwrap());
    log.create_topic(TOPIC, 1).await.unwrap();
    let sent = (0..10).map(|i| record("k", format!("{i}"))).collect();
    log.append(TOPIC, sent).await.unwrap();
    let mut slow = slow_log.subscribe(GROUP, &[TOPIC], at_once(3)).await.unwrap();
    let in_hand = next(&mut slow).await;
    let mut other = log.subscribe(GROUP, &[TOPIC], at_once(100)).await.unwrap();
    // Longer than a session: polling goes on in the background, and nobody takes the partition away.
    let came = tokio::time::timeout(Duration::from_secs(12), other.next()).await;
    assert!(came.is_err(), "{came:?}");
    commit(&mut slow, &in_hand).await.unwrap();
    let in_hand = next(&mut slow).await;
    assert_eq!(in_hand.records[0].offset, 3);
    // The member leaves the group while its caller still has a batch of it.
    slow_log.close().await;
    let batch = next(&mut other).await;
    assert_eq!((batch.records[0].offset, batch.records.len()), (3, 7), "from where it was committed");
    commit(&mut other, &batch).await.unwrap();
    let error = commit(&mut slow, &in_hand).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    assert_eq!(log.committed(GROUP, TOPIC).await.unwrap(), [(0, Some(10))]);
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_given_away_refuses_the_late_commit_of_its_former_holder() {
    show_logs();
    let (log, url) = log(&shared(), 2).await;
    let sent = (0..40).map(|i| record(&format!("{i}"), format!("{i}"))).collect();
    log.append(TOPIC, sent).await.unwrap();
    let mut first = log.subscribe(GROUP, &[TOPIC], at_once(5)).await.unwrap();
    let held = [next(&mut first).await, next(&mut first).await];
    assert_ne!(held[0].partition, held[1].partition);
    // The group gives one of them to the second, which waits for the batch in hand, and then no longer.
    let mut second = log.subscribe(GROUP, &[TOPIC], at_once(100)).await.unwrap();
    let began = Instant::now();
    let taken = next(&mut second).await;
    println!("given away after {:?}", began.elapsed());
    commit(&mut second, &taken).await.unwrap();
    let (lost, kept) = if held[0].partition == taken.partition { (&held[0], &held[1]) } else { (&held[1], &held[0]) };
    assert_eq!(taken.records[0].offset, lost.records[0].offset, "from where it was committed");
    let error = commit(&mut first, lost).await.unwrap_err();
    assert!(error.to_string().contains("is this member's no longer"), "{error}");
    first.rewind(TOPIC, lost.partition).await.unwrap();
    commit(&mut first, kept).await.unwrap();
    let committed: BTreeMap<u32, Option<u64>> = log.committed(GROUP, TOPIC).await.unwrap().into_iter().collect();
    assert_eq!(committed[&lost.partition], Some(taken.next_offset()), "not moved back");
    assert_eq!(committed[&kept.partition], Some(kept.next_offset()));
    kafka::tidy(&url).await;
}
