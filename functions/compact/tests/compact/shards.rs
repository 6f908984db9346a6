//! Many invocations at once: on one shard, on different ones, with merges and vacuums between them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clickstream_compact::{CompactError, CompactRequest, LakeSettings, Merge};
use clickstream_lake::Vacuum;
use clickstream_testkit::sample::click;

use crate::service::Service;

const PARTITIONS: u32 = 4;
const BATCHES: u64 = 12;
const ROWS: u64 = 25;

/// Ids of a batch: each is in two partitions, and the last of a batch again in the next one.
fn ids(partition: u32, batch: u64) -> Vec<u128> {
    let first = u128::from(partition / 2) * 100_000 + u128::from(batch * (ROWS - 1));
    (0..u128::from(ROWS)).map(|n| first + n).collect()
}

impl Service {
    async fn land_batch(&self, partition: u32, batch: u64) {
        let events: Vec<_> = ids(partition, batch).into_iter().map(|id| click(id, (batch * 60) as i64)).collect();
        self.land(partition, batch * ROWS, &events).await;
    }

    /// Compacts some partitions until all their batches are in the lake; losing to others is no failure.
    async fn compact_shard(&self, partitions: Vec<u32>) -> u64 {
        let (compaction, mut rows) = (self.compaction().await, 0);
        loop {
            let request = CompactRequest { partitions: Some(partitions.clone()) };
            match compaction.run(request).await {
                Ok(report) => {
                    rows += report.rows;
                    let done = |p: &u32| report.watermarks.get(&format!("l/{p}")) == Some(&(BATCHES * ROWS));
                    if partitions.iter().all(done) {
                        return rows;
                    }
                }
                Err(CompactError::Crowded(_)) => {}
                Err(error) => panic!("{error}"),
            }
            tokio::task::yield_now().await;
        }
    }

    /// Merges, and removes at once what merges took out of the table, until told to stop.
    async fn maintain(&self, stop: &AtomicBool) -> (u32, usize) {
        let lake = self.other_lake().await;
        let merge = Merge::new(Arc::clone(&lake), LakeSettings::default());
        let (mut seen, mut merges, mut removed) = (BTreeSet::new(), 0, 0);
        while !stop.load(Ordering::SeqCst) {
            seen.extend(lake.snapshot().await.unwrap().files.into_iter().map(|f| f.path));
            merges += merge.run().await.unwrap().merges;
            let snapshot = lake.snapshot().await.unwrap();
            let standing: BTreeSet<_> = snapshot.files.into_iter().map(|f| f.path).collect();
            let gone: Vec<String> = seen.difference(&standing).cloned().collect();
            removed += lake.vacuum(&Vacuum::at_once(Some(snapshot.version), gone)).await.unwrap().files.len();
            seen.retain(|path| standing.contains(path));
        }
        (merges, removed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invocations_on_the_same_and_on_other_shards_bring_each_row_once_while_files_are_merged_and_removed() {
    let service = Service::start().await;
    let stop = AtomicBool::new(false);
    let landing = async {
        for batch in 0..BATCHES {
            for partition in 0..PARTITIONS {
                service.land_batch(partition, batch).await;
            }
        }
    };
    let compacting = async {
        let shards = [vec![0], vec![1], vec![2, 3], vec![0], vec![3, 1], vec![0, 1, 2, 3]];
        let runs = futures::future::join_all(shards.map(|shard| service.compact_shard(shard))).await;
        stop.store(true, Ordering::SeqCst);
        runs
    };
    let ((), rows, (merges, removed)) = tokio::join!(landing, compacting, service.maintain(&stop));
    let expected: BTreeSet<u128> = (0..PARTITIONS).flat_map(|p| (0..BATCHES).flat_map(move |b| ids(p, b))).collect();
    assert_eq!(service.ids().await, expected.iter().copied().collect::<Vec<_>>());
    assert_eq!(rows.into_iter().sum::<u64>(), expected.len() as u64);
    assert!(merges > 0 && removed > 0, "{merges} merges, {removed} files removed");
    let snapshot = service.snapshot().await;
    assert_eq!(snapshot.watermarks, (0..PARTITIONS).map(|p| (format!("l/{p}"), BATCHES * ROWS)).collect());
    assert_eq!(snapshot.files.iter().map(|f| f.rows).sum::<u64>(), expected.len() as u64);
}
