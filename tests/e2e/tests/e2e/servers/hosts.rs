//! Several hosts on the same servers: one is killed, one stands still, one joins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clickstream_e2e::{ClickHouse, Service, StartOptions, command, eventually, output};
use clickstream_objects::{
    Objects as _,
    s3::{S3Config, S3Objects},
};
use clickstream_testkit::servers::Server;
use reqwest::Client;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::scene::CAUGHT_UP;
use crate::clicks::{batch, days};

/// How long a host stands still: longer than its groups wait for it (10 s).
const FROZEN: Duration = Duration::from_secs(30);
/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(2);
const SENDERS: usize = 8;
/// Between two requests of a sender: some 1,000 events a second in all.
const BETWEEN: Duration = Duration::from_millis(150);
/// Of topic events, as `setup` makes it.
const PARTITIONS: u64 = 4;
/// The topic on which the bucket announces its objects, to whichever host takes them.
const ANNOUNCEMENTS: &str = "announcements";

/// The servers that all hosts share.
struct Shared {
    environment: Vec<(&'static str, String)>,
    folder: tempfile::TempDir,
    _clickhouse: ClickHouse,
    _servers: [Server; 3],
}

impl Shared {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let kafka = Server::start("kafka", &[]);
        let brokers = kafka.fact("url").replace("kafka://", "");
        let announcing = [
            "MINIO_NOTIFY_KAFKA_ENABLE_K1=on".to_owned(),
            format!("MINIO_NOTIFY_KAFKA_BROKERS_K1={brokers}"),
            format!("MINIO_NOTIFY_KAFKA_TOPIC_K1={ANNOUNCEMENTS}"),
            format!("MINIO_NOTIFY_KAFKA_QUEUE_DIR_K1={}", folder.path().join("queue").display()),
        ];
        let minio = Server::start("minio", &announcing.each_ref().map(String::as_str));
        let cassandra = Server::start("cassandra", &[]);
        let clickhouse = ClickHouse::start(&folder.path().join("clickhouse")).await;
        let environment = vec![
            ("LOG_URL", kafka.fact("url")),
            ("STORE_URL", format!("{}/clickstream", cassandra.fact("url"))),
            ("OBJECTS_URL", format!("s3://{}?endpoint={}", minio.fact("bucket"), minio.fact("url"))),
            ("AWS_ACCESS_KEY_ID", minio.fact("access_key")),
            ("AWS_SECRET_ACCESS_KEY", minio.fact("secret_key")),
            ("WAREHOUSE_URL", clickhouse.url()),
            ("NOTIFICATIONS_ARN", "arn:minio:sqs::K1:kafka".to_owned()),
            ("NOTIFICATIONS_TOPIC", ANNOUNCEMENTS.to_owned()),
            ("COMPACT_INTERVAL", "5".to_owned()),
        ];
        let shared = Self { environment, folder, _clickhouse: clickhouse, _servers: [kafka, minio, cassandra] };
        let mut setup = command(shared.folder.path());
        setup.arg("setup").envs(shared.environment.iter().map(|(name, value)| (name, value)));
        output(setup).await.expect_success();
        shared
    }

    /// Keys of all raw objects.
    async fn raw_objects(&self) -> Vec<String> {
        let mut config = S3Config::from_url(self.setting("OBJECTS_URL")).expect("a bucket");
        config.access_key = Some(self.setting("AWS_ACCESS_KEY_ID").to_owned());
        config.secret_key = Some(self.setting("AWS_SECRET_ACCESS_KEY").to_owned());
        let objects = S3Objects::connect(&config).await;
        let listed = objects.list("raw/events/", None, usize::MAX).await.expect("a listing");
        listed.into_iter().map(|object| object.key).collect()
    }

    fn setting(&self, name: &str) -> &str {
        &self.environment.iter().find(|(known, _)| *known == name).expect("a setting").1
    }

    async fn host(&self, name: &str, more: &[(&'static str, &str)]) -> Service {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let options = StartOptions { port: 0, environment: self.environment.iter().cloned().chain(more).collect() };
        Service::start(&self.folder.path().join(name), &options).await
    }
}

/// Clicks that come all the time, to any host that answers.
struct Load {
    stop: Arc<AtomicBool>,
    senders: JoinSet<BTreeSet<Uuid>>,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Load {
    fn start(hosts: &[&Service]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let hosts = Arc::new(Mutex::new(hosts.iter().map(|host| host.url.clone()).collect::<Vec<_>>()));
        let senders = (0..SENDERS).map(|turn| send(turn, Arc::clone(&hosts), Arc::clone(&stop))).collect();
        Self { stop, senders, hosts }
    }

    /// From now on `host` gets its share.
    fn joins(&self, host: &Service) {
        self.hosts.lock().expect("no sender panicked").push(host.url.clone());
    }

    /// Ids of all that was acknowledged.
    async fn end(self) -> BTreeSet<Uuid> {
        self.stop.store(true, Ordering::Relaxed);
        self.senders.join_all().await.into_iter().flatten().collect()
    }
}

/// Requests of twenty clicks in turn to each host; one that is not acknowledged goes to the next, until it is.
async fn send(mut turn: usize, hosts: Arc<Mutex<Vec<String>>>, stop: Arc<AtomicBool>) -> BTreeSet<Uuid> {
    let client = Client::builder().no_proxy().timeout(ANSWER).build().expect("an HTTP client");
    let mut acknowledged = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        let (ids, batch) = batch(20);
        loop {
            turn += 1;
            let url = {
                let hosts = hosts.lock().expect("no sender panicked");
                hosts[turn % hosts.len()].clone()
            };
            let answer = client.post(format!("{url}/v1/batch")).json(&batch).send().await;
            if answer.is_ok_and(|answer| answer.status().as_u16() == 200) {
                break;
            }
        }
        acknowledged.extend(ids);
        sleep(BETWEEN).await;
    }
    acknowledged
}

/// Rows that `host` has landed since its start. One that stood still has closed the connection that was kept for it.
async fn landed(host: &Service) -> u64 {
    eventually(Duration::from_secs(30), "a host says what it landed", || async {
        let answer = host.get("/metrics").send().await.map_err(|e| e.to_string())?;
        let text = answer.text().await.map_err(|e| e.to_string())?;
        let line = text.lines().find_map(|line| line.strip_prefix("clickstream_landed_rows_total "));
        Ok(line.map_or(0, |value| value.parse().expect("a number")))
    })
    .await
}

async fn takes_part(host: &Service, who: &str) {
    let before = landed(host).await;
    eventually(Duration::from_mins(1), &format!("{who} lands its share"), || async {
        let now = landed(host).await;
        if now > before { Ok(()) } else { Err(format!("{now} rows")) }
    })
    .await;
}

/// Offsets of `host`'s log that stand in more than one raw object, and the largest raw object, in rows.
fn repeated(keys: &[String]) -> (u64, u64) {
    let (mut repeated, mut largest) = (0, 0);
    let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
    // A listing is ordered by partition, then by the last offset.
    for key in keys {
        let (partition, name) = key.rsplit_once('/').expect("a folder");
        let (last, first) = name.trim_end_matches(".parquet").split_once('-').expect("two offsets");
        let (first, end): (u64, u64) = (first.parse().expect("an offset"), last.parse::<u64>().expect("an offset") + 1);
        let reached = reached.entry(partition).or_insert(0);
        repeated += reached.saturating_sub(first).min(end - first);
        largest = largest.max(end - first);
        *reached = end.max(*reached);
    }
    (repeated, largest)
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_the_partitions_and_one_may_die_another_stand_still_a_third_join() {
    let shared = Shared::start().await;
    let (first, second, third) = (shared.host("first", &[]).await, shared.host("second", &[]).await, shared.host("third", &[]).await);
    let collector = shared.host("collector", &[("WORK", "off")]).await;
    let load = Load::start(&[&first, &second, &third, &collector]);
    for (host, who) in [(&first, "the first"), (&second, "the second"), (&third, "the third")] {
        takes_part(host, who).await;
    }

    first.kill().await;
    second.freeze();
    let frozen = Instant::now();
    let fourth = shared.host("fourth", &[]).await;
    load.joins(&fourth);
    takes_part(&fourth, "the fourth").await;
    sleep(FROZEN.saturating_sub(frozen.elapsed())).await;
    second.thaw();
    takes_part(&second, "the second, awake again").await;

    let acknowledged = load.end().await;
    third.caught_up(&["unspill", "intake-topic", "store", "land", "load", "intake-files"]).await;
    for host in [&second, &fourth] {
        host.caught_up(&["load"]).await;
    }
    third.settle_everything().await;
    let (from, to) = days();
    let exported = eventually(CAUGHT_UP, "everything is visible", || async {
        let exported = third.exported(&from, &to).await;
        let missing = acknowledged.iter().filter(|id| !exported.contains_key(id)).count();
        if missing == 0 { Ok(exported) } else { Err(format!("{missing} of {} are missing", acknowledged.len())) }
    })
    .await;
    assert!(exported.values().all(|count| *count == 1), "an event is counted twice");
    // A request that was cut off may have been logged: it was sent again under the same ids.
    assert_eq!(exported.len(), acknowledged.len());
    for id in acknowledged.iter().step_by(acknowledged.len() / 20) {
        let trace = fourth.json(&format!("/v1/events/{id}/trace")).await;
        assert_eq!(trace["store"]["stored"], true, "{trace}");
    }

    assert_eq!(landed(&collector).await, 0, "it takes events and leaves the work to others");

    let (repeated, largest) = repeated(&shared.raw_objects().await);
    println!("{} events, {repeated} landed once more, at most {largest} rows in an object", acknowledged.len());
    // Each change of the members (killed, still, joined, awake) hands over what was in hand: one batch a partition.
    assert!(repeated <= 4 * PARTITIONS * largest, "{repeated} rows were landed once more");
}
