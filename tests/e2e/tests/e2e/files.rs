//! Files through the inbox: each gets a receipt, and a large one takes no more memory than a small one.

use std::{
    cell::Cell,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    time::Duration,
};

use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_event::Micros;
use flate2::{Compression, write::GzEncoder};
use reqwest::Body;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// Most memory that the whole service may hold while it takes a file as fast as it can, bytes. Whatever the file's size,
/// most of it is ClickHouse's, which merges and answers reports over what is not settled yet within its own limits.
const MOST_RESIDENT: u64 = 2 << 30;
/// A file of many gigabytes must still end within this time.
const PATIENCE: Duration = Duration::from_mins(20);

async fn start(folder: &tempfile::TempDir) -> Service {
    Service::start(&folder.path().join("data"), &StartOptions::default()).await
}

/// Waits for the receipt that the answer to a PUT names.
async fn receipt(service: &Service, put: &Value) -> Value {
    let path = format!("/v1/{}", put["receipt"].as_str().expect("the answer names the receipt"));
    eventually(PATIENCE, "the receipt stands", || async {
        let answer = service.get(&path).send().await.expect("an answer");
        match answer.status().as_u16() {
            200 => Ok(answer.json::<Value>().await.expect("JSON")),
            404 => Err("no receipt yet".to_owned()),
            _ => panic!("{answer:?}"),
        }
    })
    .await
}

async fn put(service: &Service, name: &str, body: impl Into<Body>) -> Value {
    let answer = service.put(&format!("/v1/inbox/demo/{name}")).body(body).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 201, "{answer:?}");
    answer.json().await.expect("JSON")
}

/// A line of about a kilobyte.
fn line(number: u64, at: Micros) -> String {
    format!(
        r#"{{"event_id":"line-{number}","action":"click","element_id":"button-{}","anonymous_id":"a-{}","occurred_at":"{at}","url":"https://shop.example/tea/{}","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0","properties":{{"note":"{:0>600}","number":{number}}}}}"#,
        number % 10,
        number % 5_000,
        number % 97,
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    )
}

/// Writes lines of `bytes` bytes in all, gzipped, without holding them; answers how many.
fn write(path: &Path, bytes: u64) -> u64 {
    let file = BufWriter::new(File::create(path).expect("a file"));
    let mut gzip = GzEncoder::new(file, Compression::fast());
    let start = Micros::now().plus(-20 * Micros::HOUR);
    let (mut written, mut lines) = (0, 0);
    while written < bytes {
        let mut line = line(lines, start.plus(lines as i64 * 10_000));
        line.push('\n');
        gzip.write_all(line.as_bytes()).expect("written");
        written += line.len() as u64;
        lines += 1;
    }
    gzip.finish().expect("packed").flush().expect("written");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_put_into_the_inbox_gets_its_receipt_and_is_taken_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let at = Micros::now().plus(-Micros::HOUR);
    let text = format!("{}\n{{\"action\":\"click\"}}\n{}\n", line(1, at), line(2, at));
    let first = put(&service, "two%20clicks.ndjson", text.clone()).await;
    assert_eq!(first["key"], "inbox/demo/two clicks.ndjson");
    let told = receipt(&service, &first).await;
    assert_eq!((&told["lines"], &told["rejected"], &told["error"]), (&3.into(), &1.into(), &Value::Null), "{told}");
    assert_eq!(told["rejected_lines"][0]["line"], 2, "{told}");
    let again = put(&service, "two%20clicks.ndjson", text).await;
    assert_eq!(again["receipt"], first["receipt"], "the same bytes are the same file");
    assert_eq!(receipt(&service, &again).await, told);

    let other = put(&service, "two%20clicks.ndjson", line(3, at)).await;
    assert_ne!(other["receipt"], first["receipt"], "other bytes are another file");
    receipt(&service, &other).await;
    service.caught_up(&["intake-files", "store", "land", "load"]).await;
    assert_eq!(service.json("/v1/status").await["logged"], 4, "three events and a rejection");

    for (name, body, code) in [("x.txt", &b"text"[..], "format"), ("x.csv.gz", b"no gzip", "gz"), ("x.parquet", b"PAR1", "parquet")] {
        let told = receipt(&service, &put(&service, name, body.to_vec()).await).await;
        let why = told["error"]["message"].as_str().unwrap_or_default();
        assert!(why.len() > 15, "{name} ({code}): {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_compressed_file_is_taken_whole_in_bounded_memory() {
    let megabytes: u64 = std::env::var("FILE_MB").map_or(150, |text| text.parse().expect("FILE_MB is a number of megabytes"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.ndjson.gz");
    let lines = write(&path, megabytes * 1_000_000);
    let service = start(&folder).await;
    let before = service.resident_bytes();
    let peak = Cell::new(before);
    let sample = async {
        loop {
            peak.set(peak.get().max(service.resident_bytes()));
            sleep(Duration::from_millis(20)).await;
        }
    };
    let began = Instant::now();
    let take = async {
        let file = tokio::fs::File::open(&path).await.expect("the file");
        let answer = put(&service, "large.ndjson.gz", file).await;
        let told = receipt(&service, &answer).await;
        let taken = (began.elapsed(), peak.get());
        assert_eq!((&told["lines"], &told["rejected"], &told["error"]), (&lines.into(), &0.into(), &Value::Null), "{told}");
        let days = [Micros::now().plus(-Micros::DAY), Micros::now()].map(|at| at.to_string()[..10].to_owned());
        eventually(PATIENCE, "every line is counted once", || async {
            let clicks: u64 = service.report("elements", &days[0], &days[1]).await.sums().values().map(|(_, clicks)| clicks).sum();
            assert!(clicks <= lines, "{clicks} clicks of {lines} lines");
            if clicks == lines { Ok(()) } else { Err(format!("{clicks} of {lines}")) }
        })
        .await;
        taken
    };
    let (taken, intake_peak) = tokio::select! {
        taken = take => taken,
        () = sample => unreachable!("sampling has no end"),
    };
    println!(
        "{megabytes} MB, {lines} lines: receipt after {:.1} s, all counted after {:.1} s; {} MiB resident before, {} MiB at most until the receipt, {} MiB in all",
        taken.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        before >> 20,
        intake_peak >> 20,
        peak.get() >> 20
    );
    assert!(peak.get() < MOST_RESIDENT, "{} bytes resident", peak.get());
}
