//! Files of the data folder that are cut or overwritten: a start ends with a sentence, or goes on; it never panics.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use clickstream_e2e::{Service, StartOptions, command};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use crate::clicks::{batch, days};

/// A damaged folder must be judged within this time.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Half of it is missing.
    Cut,
    /// Its beginning is noise.
    Head,
    /// All but its beginning is noise.
    Body,
    /// It is another file.
    Text,
}

impl Damage {
    const ALL: [Self; 4] = [Self::Cut, Self::Head, Self::Body, Self::Text];

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        let noise = |length: usize| (0..length).map(|i| (i * 131 % 251) as u8 ^ 0x5a).collect::<Vec<_>>();
        let head = bytes.len().min(100);
        match self {
            Self::Cut => bytes[..bytes.len() / 2].to_vec(),
            Self::Head => [&noise(head), &bytes[head..]].concat(),
            Self::Body => [&bytes[..head], &noise(bytes.len() - head)].concat(),
            Self::Text => b"this file was something else once".to_vec(),
        }
    }
}

/// What a start came to.
enum Start {
    Ready,
    Refused(String),
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_once_it_is_back_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let (ids, events) = batch(500);
    let answer = service.post("/v1/batch").json(&events).send().await.expect("an answer");
    assert!(answer.status().is_success());
    service.caught_up(&["store", "land", "load"]).await;
    service.invoke("compact").await;
    service.invoke("settle").await;
    assert!(service.terminate().await.success());

    let schema = data.join("clickhouse/metadata/clickstream.sql");
    for (part, file) in databases(&data).into_iter().chain([("lake", lake_log(&data)), ("ClickHouse", schema)]) {
        for damage in Damage::ALL {
            let whole = fs::read(&file).expect("the file");
            let damaged = damage.of(&whole);
            if damaged == whole {
                continue;
            }
            fs::write(&file, damaged).expect("damaged");
            let Start::Refused(said) = start(&data).await else { panic!("{damage:?} of {} is not noticed", file.display()) };
            let last = said.lines().last().unwrap_or_default();
            println!("{part} {damage:?}: {last}");
            assert!(last.starts_with("clickstream: ") && last.contains(part), "{damage:?} of {part}: {said}");
            restore(&file, &whole);
        }
    }
    // What only helps is made anew.
    for file in ["service.json", "lock", "log/lock"].map(|name| data.join(name)) {
        fs::write(&file, "damaged").expect("damaged");
        assert!(matches!(start(&data).await, Start::Ready), "{}", file.display());
    }

    let service = Service::start(&data, &StartOptions::default()).await;
    let (from, to) = days();
    let exported = service.exported(&from, &to).await;
    assert!(ids.iter().all(|id| exported.get(id) == Some(&1)) && exported.len() == ids.len(), "{} of {}", exported.len(), ids.len());
    assert!(service.terminate().await.success());
}

/// The databases, each with the word by which an error names it.
fn databases(data: &Path) -> Vec<(&'static str, PathBuf)> {
    [("log", "log"), ("store", "store"), ("objects", "objects")]
        .into_iter()
        .map(|(part, folder)| {
            let files = fs::read_dir(data.join(folder)).expect("a folder").map(|f| f.expect("a file").path());
            let found = files.filter(|f| f.extension().is_some_and(|e| e == "db")).max_by_key(|f| fs::metadata(f).map_or(0, |m| m.len()));
            (part, found.expect("a database"))
        })
        .collect()
}

/// The object that holds the newest version of the lake's log.
fn lake_log(data: &Path) -> PathBuf {
    let mut found = Vec::new();
    walk(&data.join("objects"), &mut |path| {
        if fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"{") && bytes.windows(7).any(|w| w == b"\"add\":{")) {
            found.push(path.to_owned());
        }
    });
    found.pop().expect("the lake has a log")
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// The file as it was, without what the start on the damaged one left beside it.
fn restore(file: &Path, whole: &[u8]) {
    for ending in ["-wal", "-shm", "-journal"] {
        let mut beside = file.as_os_str().to_owned();
        beside.push(ending);
        let _ = fs::remove_file(beside);
    }
    fs::write(file, whole).expect("restored");
}

/// Starts on `data`; a service that comes up is ended again.
async fn start(data: &Path) -> Start {
    let said = data.with_extension("damaged.stderr");
    let mut up = tokio::process::Command::from(command(data));
    up.args(["up", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(File::create(&said).expect("a file"));
    let mut child = up.kill_on_drop(true).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let judged = timeout(PATIENCE, async {
        // The first line is `ready …`; a start that fails has none.
        let ready = lines.next_line().await.expect("stdout can be read").is_some();
        if ready {
            let pid = child.id().expect("it runs").to_string();
            assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        }
        (ready, child.wait().await.expect("it ends"))
    });
    let judged = judged.await;
    // ClickHouse quotes what it cannot read.
    let said = String::from_utf8_lossy(&fs::read(&said).expect("what it said")).into_owned();
    let Ok((ready, status)) = judged else { panic!("a start on damage neither ends nor is ready: {said}") };
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(status.signal(), None, "it crashes: {said}");
    if ready && status.success() { Start::Ready } else { Start::Refused(said) }
}
