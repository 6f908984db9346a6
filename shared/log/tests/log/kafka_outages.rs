//! Brokers that die, stand still, or are not there.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::kafka::{self, DEADLINE, TOPIC, at_once, commit, everything, log, next, record};
use clickstream_log::{Log, LogError, Position, Record, kafka::KafkaLog};
use clickstream_testkit::servers::Server;
use tokio::task::JoinSet;

const CALLERS: usize = 8;
/// Key and value of records beside those of the callers.
const PROBE: &str = "probe";

/// What each caller was told to stand, and how often it was told that the log is unavailable.
#[derive(Default)]
struct Told {
    acknowledged: Vec<(Position, String)>,
    refused: usize,
}

/// Callers that append until `stop`, each with a key of its own, so that each has its order in its partition.
fn appending(log: &KafkaLog, run: u64, stop: &Arc<AtomicBool>) -> JoinSet<Told> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (log, stop) = (log.clone(), Arc::clone(stop));
        callers.spawn(async move {
            let mut told = Told::default();
            for round in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let values: Vec<String> = (0..5).map(|i| format!("{run}-{caller}/{:08}/{}", round * 5 + i, "x".repeat(300))).collect();
                let records: Vec<Record> = values.iter().map(|value| record(&format!("{caller}"), value.clone())).collect();
                match log.append(TOPIC, records).await {
                    Ok(positions) => told.acknowledged.extend(positions.into_iter().zip(values)),
                    Err(LogError::Unavailable(_)) => told.refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            told
        });
    }
    callers
}

/// Fails unless everything acknowledged stands where it was said to, and each caller's records stand in their order,
/// once.
async fn check(log: &KafkaLog, told: &[Told]) {
    let mut kept = HashMap::new();
    for extent in log.extents(TOPIC).await.unwrap() {
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        for read in everything(log, TOPIC, extent.partition).await {
            let value = String::from_utf8(read.record.value.to_vec()).unwrap();
            let caller = value.split('/').next().unwrap().to_owned();
            if caller != PROBE
                && let Some(before) = last.insert(caller, value.clone())
            {
                assert!(before < value, "{} stands after {}", &value[..20], &before[..20]);
            }
            kept.insert((extent.partition, read.offset), value);
        }
    }
    for (position, value) in told.iter().flat_map(|told| &told.acknowledged) {
        assert_eq!(kept.get(&(position.partition, position.offset)), Some(value), "{position:?}");
    }
    let acknowledged: usize = told.iter().map(|t| t.acknowledged.len()).sum();
    println!("{acknowledged} records were acknowledged; all {} that stand are in order", kept.len());
    assert!(acknowledged > 200, "too little to mean anything");
}

async fn probe(log: &KafkaLog) -> Result<Vec<Position>, LogError> {
    log.append(TOPIC, vec![record(PROBE, PROBE)]).await
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what} in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_during_appends_keeps_what_it_acknowledged_and_the_handle_works_again() {
    kafka::show_logs();
    let server = Server::start("kafka", &[]);
    let (log, _) = log(&server.fact("url"), 3).await;
    let mut told = Vec::new();
    for kill in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let callers = appending(&log, kill, &stop);
        tokio::time::sleep(Duration::from_millis(400 + 150 * kill)).await;
        server.kill();
        let killed = Instant::now();
        let error = probe(&log).await.unwrap_err();
        assert!(matches!(error, LogError::Unavailable(_)), "{error}");
        println!("an append after the kill is refused after {:?}: {error}", killed.elapsed());
        assert!(killed.elapsed() < Duration::from_secs(9), "collect spills in time");
        server.start_again();
        let ready = Instant::now();
        until("appends work again", async || probe(&log).await.is_ok()).await;
        println!("appends work {:?} after the broker answers again", ready.elapsed());
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::Relaxed);
        let outage = callers.join_all().await;
        assert!(outage.iter().all(|t| t.refused > 0), "the outage was noticed");
        told.extend(outage);
    }
    check(&log, &told).await;
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stands_still_for_a_while_loses_nothing_and_keeps_the_order() {
    kafka::show_logs();
    let server = Server::start("kafka", &[]);
    let (log, _) = log(&server.fact("url"), 3).await;
    let mut consumer = log.subscribe("group", &[TOPIC], at_once(1_000)).await.unwrap();
    probe(&log).await.unwrap();
    let batch = next(&mut consumer).await;
    commit(&mut consumer, &batch).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers = appending(&log, 0, &stop);
    // Shorter than an append may take, and longer.
    for (still, refused) in [(Duration::from_secs(2), false), (Duration::from_secs(7), true)] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.freeze();
        let began = Instant::now();
        let during = tokio::spawn({
            let log = log.clone();
            async move { probe(&log).await }
        });
        tokio::time::sleep(still).await;
        server.thaw();
        let during = during.await.unwrap();
        println!("still for {still:?}: an append took {:?}: {during:?}", began.elapsed());
        assert_eq!(matches!(during, Err(LogError::Unavailable(_))), refused, "{during:?}");
        until("appends work again", async || probe(&log).await.is_ok()).await;
    }
    stop.store(true, Ordering::Relaxed);
    check(&log, &callers.join_all().await).await;
    // The consumer goes on with the same handle, and gets all of it.
    let end: u64 = log.extents(TOPIC).await.unwrap().iter().map(|e| e.end).sum();
    let mut seen = 1;
    while seen < end {
        let batch = next(&mut consumer).await;
        seen += batch.records.len() as u64;
        commit(&mut consumer, &batch).await.unwrap();
    }
    assert_eq!(seen, end);
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_outlives_the_broker_and_goes_on_where_it_committed() {
    kafka::show_logs();
    let server = Server::start("kafka", &[]);
    let (log, _) = log(&server.fact("url"), 1).await;
    let sent: Vec<Record> = (0..30).map(|i| record("k", format!("{i}"))).collect();
    log.append(TOPIC, sent).await.unwrap();
    let mut consumer = log.subscribe("group", &[TOPIC], at_once(10)).await.unwrap();
    let batch = next(&mut consumer).await;
    commit(&mut consumer, &batch).await.unwrap();
    let in_hand = next(&mut consumer).await;
    assert_eq!(in_hand.records[0].offset, 10);
    server.kill();
    let killed = Instant::now();
    let error = commit(&mut consumer, &in_hand).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    println!("a commit without broker after {:?}: {error}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(15));
    consumer.rewind(TOPIC, 0).await.unwrap();
    server.start_again();
    let batch = next(&mut consumer).await;
    // Nobody can tell whether the last thing that was asked of the broker was done.
    assert!([10, 20].contains(&batch.records[0].offset), "{}", batch.records[0].offset);
    let mut expected = batch.records[0].offset;
    let mut batch = Some(batch);
    while expected < 30 {
        let batch = match batch.take() {
            Some(batch) => batch,
            None => next(&mut consumer).await,
        };
        assert_eq!(batch.records[0].offset, expected);
        commit(&mut consumer, &batch).await.unwrap();
        expected = batch.next_offset();
    }
    assert_eq!(log.committed("group", TOPIC).await.unwrap(), [(0, Some(30))]);
    log.close().await;
}

#[test]
fn appends_that_wait_for_the_same_answer_ask_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = KafkaLog::open(&format!("kafka://127.0.0.1:{port}")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let mut callers = JoinSet::new();
        for caller in 0..20 {
            let log = log.clone();
            callers.spawn(async move {
                tokio::time::sleep(Duration::from_millis(50 * caller)).await;
                let asked = Instant::now();
                (log.append(TOPIC, vec![record("k", "v")]).await.unwrap_err(), asked.elapsed())
            });
        }
        for (error, after) in callers.join_all().await {
            assert!(matches!(error, LogError::Unavailable(_)), "{error}");
            assert!(after < Duration::from_secs(6), "{after:?}");
        }
    });
    // A question that nobody waits for any more would hold it up.
    drop(runtime);
    println!("20 appends were refused, and nothing was asked any more, after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_log_closed_while_the_broker_stands_still_holds_up_no_process() {
    kafka::show_logs();
    let server = Server::start("kafka", &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (log, _consumer) = runtime.block_on(async {
        let (log, _) = log(&server.fact("url"), 1).await;
        let mut consumer = log.subscribe("group", &[TOPIC], at_once(10)).await.unwrap();
        probe(&log).await.unwrap();
        let batch = next(&mut consumer).await;
        commit(&mut consumer, &batch).await.unwrap();
        (log, consumer)
    });
    server.freeze();
    let began = Instant::now();
    runtime.block_on(log.close());
    let closed = began.elapsed();
    // As a process does at its end: waits for what blocks on the runtime's threads.
    drop(runtime);
    println!("closed after {closed:?}, the runtime ended after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_broker_is_every_call_says_so_in_time() {
    // A port that was free a moment ago; nothing listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = KafkaLog::open(&format!("kafka://127.0.0.1:{port}")).unwrap();
    let began = Instant::now();
    let unavailable = |what: &str, error: LogError| {
        println!("{what} after {:?}: {error}", began.elapsed());
        assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    };
    unavailable("append", log.append(TOPIC, vec![record("k", "v")]).await.unwrap_err());
    unavailable("log_id", log.log_id().await.unwrap_err());
    unavailable("extents", log.extents(TOPIC).await.unwrap_err());
    unavailable("read", log.read(TOPIC, 0, 0, 1, 1).await.unwrap_err());
    unavailable("committed", log.committed("group", TOPIC).await.unwrap_err());
    unavailable("subscribe", log.subscribe("group", &[TOPIC], at_once(1)).await.err().unwrap());
    unavailable("create_topic", log.create_topic(TOPIC, 1).await.unwrap_err());
    unavailable("expire", log.expire(TOPIC, 0, 1).await.unwrap_err());
    assert!(began.elapsed() < Duration::from_secs(80));
    let name = KafkaLog::open("kafka://no-such-host.invalid:9092").unwrap();
    unavailable("append to a host of no address", name.append(TOPIC, vec![record("k", "v")]).await.unwrap_err());
    log.close().await;
    unavailable("append to a closed log", log.append(TOPIC, vec![record("k", "v")]).await.unwrap_err());
}
