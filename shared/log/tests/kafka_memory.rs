//! What a consumer of Kafka holds in memory; a process of its own, for that is what is measured.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "log/kafka.rs"]
#[allow(dead_code, reason = "one test uses a part")]
mod kafka;

use std::time::Duration;

use clickstream_log::{BatchLimits, Log};
use kafka::{TOPIC, commit, log, next, record, shared, show_logs};

const GROUP: &str = "group";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_bounded_however_much_there_is() {
    show_logs();
    let (log, url) = log(&shared(), 4).await;
    // 256 MiB of what compresses about as events do.
    for _ in 0..64 {
        let sent = (0..64).map(|i| record(&format!("{i}"), kafka::text(8 << 10).repeat(8))).collect();
        log.append(TOPIC, sent).await.unwrap();
    }
    let before = resident_mib();
    let limits = BatchLimits { max_records: 100_000, max_bytes: 4 << 20, window: Duration::from_mins(10) };
    let mut consumer = log.subscribe(GROUP, &[TOPIC], limits).await.unwrap();
    let mut batch = next(&mut consumer).await;
    let mut most = 0;
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        most = resident_mib().max(most);
        commit(&mut consumer, &batch).await.unwrap();
        batch = next(&mut consumer).await;
        assert!(batch.records.iter().map(|r| r.record.value.len()).sum::<usize>() <= 4 << 20);
    }
    println!("{before} MiB before, at most {most} MiB while 256 MiB waited and were read in batches of 4 MiB");
    assert!(most < before + 96, "{before} MiB before, {most} MiB then");
    kafka::tidy(&url).await;
}

/// `VmRSS` of `/proc/self/status`.
fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}
