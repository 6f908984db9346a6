//! Batches that a broker's disk has damaged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::kafka::{self, DEADLINE, TOPIC, at_once, commit, full, log, next, record};
use clickstream_log::{Log, LogError, partition_for};
use clickstream_testkit::servers::Server;

const GROUP: &str = "group";
const PARTITIONS: u32 = 3;

/// Flips the last bit of a batch of a segment; once more repairs it. The format is Kafka's: offset of the first record
/// (8 bytes), bytes that follow (4), and so on.
fn flip(segment: &Path, batch: usize) {
    let mut bytes = fs::read(segment).unwrap();
    let mut at = 0;
    for _ in 0..=batch {
        at += 12 + u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    bytes[at - 1] ^= 1;
    fs::write(segment, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_batch_is_told_and_never_skipped_wherever_its_reader_begins() {
    kafka::show_logs();
    let server = Server::start("kafka", &[]);
    let (log, url) = log(&server.fact("url"), PARTITIONS).await;
    let key_of = |p| (0..1_000).map(|i| i.to_string()).find(|key| partition_for(key.as_bytes(), PARTITIONS) == p).unwrap();
    let keys = (0..PARTITIONS).map(key_of);
    for key in keys {
        for value in ["first", "second", "third"] {
            log.append(TOPIC, vec![record(&key, value)]).await.unwrap();
        }
    }
    // Partition 0 is damaged where the group begins, without and partition 1 with a committed offset; partition 2 is
    // damaged behind what is read first.
    let mut consumer = log.subscribe(GROUP, &[TOPIC], at_once(1)).await.unwrap();
    loop {
        let batch = next(&mut consumer).await;
        if batch.partition == 1 {
            commit(&mut consumer, &batch).await.unwrap();
            break;
        }
    }
    drop(consumer);
    let data = PathBuf::from(server.fact("dir")).join("data");
    let segment = |partition: usize| -> PathBuf {
        let folder = format!("{}-{partition}", full(&url, TOPIC));
        data.join(folder).join("00000000000000000000.log")
    };
    let flip_all = || {
        server.stop();
        for (partition, batch) in [0, 1, 1].into_iter().enumerate() {
            flip(&segment(partition), batch);
        }
        server.start_again();
    };
    flip_all();
    let mut consumer = log.subscribe(GROUP, &[TOPIC], at_once(100)).await.unwrap();
    let (mut told, began) = (BTreeMap::<usize, usize>::new(), Instant::now());
    // Each twice: it was looked at again.
    while told.len() < PARTITIONS as usize || told.values().any(|times| *times < 2) {
        assert!(began.elapsed() < DEADLINE, "{told:?}");
        match tokio::time::timeout(DEADLINE, consumer.next()).await.expect("an error in time") {
            Ok(batch) => {
                assert_eq!((batch.partition, batch.records[0].offset, batch.records.len()), (2, 0, 1), "what is before the damage");
                commit(&mut consumer, &batch).await.unwrap();
            }
            Err(LogError::Corrupt(what)) => {
                println!("{what}");
                let partition = (0..PARTITIONS as usize).find(|p| what.starts_with(&format!("partition {p} of {TOPIC}"))).unwrap();
                *told.entry(partition).or_default() += 1;
            }
            Err(error) => println!("meanwhile: {error}"),
        }
    }
    assert_eq!(log.committed(GROUP, TOPIC).await.unwrap(), [(0, None), (1, Some(1)), (2, Some(1))]);
    flip_all();
    let mut read = BTreeSet::new();
    while read.len() < 7 {
        match tokio::time::timeout(DEADLINE, consumer.next()).await.expect("a batch in time") {
            Ok(batch) => {
                read.extend(batch.records.iter().map(|record| (batch.partition, record.offset)));
                commit(&mut consumer, &batch).await.unwrap();
            }
            Err(error) => println!("meanwhile: {error}"),
        }
    }
    assert_eq!(read.into_iter().collect::<Vec<_>>(), [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]);
    log.close().await;
}
