//! By a seed, the service and its servers are killed or stand still while events come, one or two at once.

use std::time::Duration;

use clickstream_e2e::Service;
use clickstream_testkit::servers::Server;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use crate::{
    kill::from_environment,
    servers::scene::{Props, Scene},
};

/// Mishaps of a seed.
const MISHAPS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Service,
    Kafka,
    Cassandra,
    Minio,
}

impl Who {
    const ALL: [Self; 4] = [Self::Service, Self::Kafka, Self::Cassandra, Self::Minio];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// SIGKILL, and a start later.
    Killed,
    /// SIGSTOP, and SIGCONT later.
    Still,
}

/// What befalls some, at once and for so long.
#[derive(Debug)]
struct Mishap {
    whom: Vec<(Who, How)>,
    lasts: Duration,
}

impl Mishap {
    fn of(random: &mut ChaCha8Rng) -> Self {
        let count = if random.random_bool(0.3) { 2 } else { 1 };
        let chosen: Vec<Who> = Who::ALL.sample(random, count).copied().collect();
        let mut how = |who: &Who| (*who, if random.random_bool(0.5) { How::Killed } else { How::Still });
        let whom = chosen.iter().map(&mut how).collect();
        Self { whom, lasts: Duration::from_millis(random.random_range(300..4_000)) }
    }

    fn how(&self, who: Who) -> Option<How> {
        self.whom.iter().find(|(of, _)| *of == who).map(|(_, how)| *how)
    }

    async fn befall(&self, mut scene: Scene) -> Scene {
        let servers = [(Who::Kafka, &scene.kafka), (Who::Cassandra, &scene.cassandra), (Who::Minio, &scene.minio)];
        let of = |who| self.how(who);
        servers.iter().for_each(|(who, server)| begin(server, of(*who)));
        match of(Who::Service) {
            Some(How::Killed) => {
                scene.service.kill().await;
                sleep(self.lasts).await;
                servers.iter().for_each(|(who, server)| end(server, of(*who)));
                scene.service = Service::start(&scene.data, &scene.options).await;
            }
            still => {
                if still.is_some() {
                    scene.service.freeze();
                }
                sleep(self.lasts).await;
                servers.iter().for_each(|(who, server)| end(server, of(*who)));
                if still.is_some() {
                    scene.service.thaw();
                }
            }
        }
        scene
    }
}

fn begin(server: &Server, how: Option<How>) {
    match how {
        Some(How::Killed) => server.kill(),
        Some(How::Still) => server.freeze(),
        None => {}
    }
}

fn end(server: &Server, how: Option<How>) {
    match how {
        Some(How::Killed) => server.start_again(),
        Some(How::Still) => server.thaw(),
        None => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_the_service_and_its_servers_by_a_seed_each_event_counts_once() {
    let (first, count) = (from_environment("SEED", 1), from_environment("SERVER_SEEDS", 1));
    // Compaction meets what happens, too.
    let environment = vec![("COMPACT_INTERVAL", "5".to_owned())];
    let mut scene = Scene::with(Props { environment, ..Props::default() }).await;
    for seed in first..first + count {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut load = scene.load();
        load.goes_on(10).await;
        for _ in 0..MISHAPS {
            let mishap = Mishap::of(&mut random);
            println!("seed {seed}: {mishap:?}; again: make chaos-servers SEED={seed} SERVER_SEEDS=1");
            scene = mishap.befall(scene).await;
            load.goes_on(10).await;
        }
        let sent = load.stop().await;
        println!("seed {seed}: {} events, {} requests went to the bucket", sent.ids.len(), sent.spilled);
        scene.acknowledged.extend(sent.ids);
        scene.caught_up().await;
        scene.counts_are_right().await;
    }
}
