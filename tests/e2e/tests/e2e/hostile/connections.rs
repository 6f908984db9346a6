//! Connections that send less, more or something else than they announce.

use std::time::Duration;

use clickstream_e2e::{Service, StartOptions};
use tokio::time::{Instant, sleep};

use super::{
    problem::told,
    wire::{Reply, Wire},
};

const HEAD: &str = "POST /v1/batch?writeKey=demo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

async fn start(folder: &tempfile::TempDir) -> Service {
    Service::start(&folder.path().join("data"), &StartOptions::default()).await
}

async fn exchange(service: &Service, bytes: &[u8]) -> Reply {
    let mut wire = Wire::to(service).await;
    wire.say(bytes).await;
    wire.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_is_told_to_come_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    for (about, rest) in [
        ("cut before its announced length", "Content-Length: 100\r\n\r\n{\"batch\":["),
        ("announced and never sent", "Content-Length: 100\r\n\r\n"),
        ("cut within a chunk", "Transfer-Encoding: chunked\r\n\r\n40\r\n{\"batch\":["),
        ("cut between chunks", "Transfer-Encoding: chunked\r\n\r\na\r\n{\"batch\":[\r\n"),
        ("a chunk of no size", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\"batch\":[\r\n0\r\n\r\n"),
    ] {
        let reply = exchange(&service, format!("{HEAD}{rest}").as_bytes()).await;
        assert_eq!(reply.status, Some(400), "{about}: {reply:?}");
        assert_eq!(told(&reply.body, 400, about), "body_cut");
    }
    let health = service.get("/health").send().await.expect("the service lives");
    assert!(health.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_far_over_its_limit_is_told_so_though_more_of_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let body = vec![b' '; 8 << 20];
    let cases = [
        ("announced", "Content-Length: 8388608\r\n\r\n", ""),
        ("in one chunk", "Transfer-Encoding: chunked\r\n\r\n800000\r\n", "\r\n0\r\n\r\n"),
    ];
    for (about, head, end) in cases {
        let mut wire = Wire::to(&service).await;
        wire.say(format!("{HEAD}{head}").as_bytes()).await;
        wire.say(&body).await;
        wire.say(end.as_bytes()).await;
        let reply = wire.end().await;
        assert_eq!(reply.status, Some(413), "{about}: {reply:?}");
        assert_eq!(told(&reply.body, 413, about), "body_too_large");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nothing_more_is_asked_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let silent = async {
        let reply = Wire::to(&service).await.reply().await;
        assert_eq!(reply.status, None, "{reply:?}");
    };
    let asked_once = async {
        let mut wire = Wire::to(&service).await;
        wire.say(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(wire.reply().await.status, Some(200));
    };
    let began = Instant::now();
    tokio::join!(silent, asked_once);
    assert!(began.elapsed() < Duration::from_secs(30), "closed after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_why_its_body_was_refused_half_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let cases = [("Content-Length: 8388608", vec![b' '; 8 << 20], 413), ("Content-Length: 100", b"{".to_vec(), 400)];
    for (length, body, status) in cases {
        let mut wire = Wire::to(&service).await;
        wire.say(format!("{HEAD}Origin: https://shop.example\r\n{length}\r\n\r\n").as_bytes()).await;
        wire.say(&body).await;
        let reply = wire.end().await;
        assert_eq!(reply.status, Some(status), "{reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://shop.example"), "{reply:?}");
    }
    let long = format!("/v1/batch?{}", "a".repeat(9_000));
    let answer = service.post(&long).header("origin", "https://shop.example").send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["access-control-allow-origin"].as_bytes()), (414, &b"https://shop.example"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_no_http_or_far_too_large_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let many: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let long = "a".repeat(20 << 10);
    let huge = "a".repeat(1 << 20);
    let cases = [
        ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_owned(), 400),
        ("a length that is no number", format!("{HEAD}Content-Length: many\r\n\r\n{{}}"), 400),
        ("a negative length", format!("{HEAD}Content-Length: -1\r\n\r\n{{}}"), 400),
        ("two lengths", format!("{HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} "), 400),
        ("an unknown transfer encoding", format!("{HEAD}Transfer-Encoding: gzip\r\n\r\n{{}}"), 400),
        ("two hundred headers", format!("{HEAD}{many}Content-Length: 2\r\n\r\n{{}}"), 431),
        ("a header of a megabyte", format!("{HEAD}X-Long: {huge}\r\n\r\n"), 431),
        ("an address of 20 KiB", format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), 414),
        ("an address of a megabyte", format!("GET /{huge} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414),
        ("a space in a header's name", format!("{HEAD}Content Length: 2\r\n\r\n{{}}"), 400),
    ];
    for (about, bytes, status) in cases {
        let mut wire = Wire::to(&service).await;
        wire.say(bytes.as_bytes()).await;
        let reply = wire.reply().await;
        let refused = reply.status.is_some_and(|s| s == status || (s == 431 && status == 414));
        assert!(refused, "{about}: {reply:?} instead of {status}");
    }
    assert!(service.get("/health").send().await.expect("the service lives").status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_byte_now_and_then_is_not_waited_for_and_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let began = Instant::now();
    let drip = |head: String| {
        let service = &service;
        async move {
            let mut wire = Wire::to(service).await;
            wire.say(head.as_bytes()).await;
            // Ends when the service has had enough and closes.
            while began.elapsed() < Duration::from_secs(80) && wire.say(b" ").await {
                sleep(Duration::from_millis(500)).await;
            }
            (wire.reply().await, began.elapsed())
        }
    };
    let slow_body = drip(format!("{HEAD}Content-Length: 100000\r\n\r\n"));
    let slow_chunks = drip(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n100000\r\n"));
    let slow_head = drip("POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nX-Slow:".to_owned());
    let others = async {
        let mut idle = Vec::new();
        for _ in 0..500 {
            idle.push(Wire::to(&service).await);
        }
        let asked = Instant::now();
        let answer = service.get("/health").send().await.expect("others are answered");
        assert!(answer.status().is_success() && asked.elapsed() < Duration::from_secs(2));
    };
    let (body, chunks, head, ()) = tokio::join!(slow_body, slow_chunks, slow_head, others);
    for ((reply, took), about) in [(body, "a slow body"), (chunks, "slow chunks"), (head, "a slow head")] {
        assert!(took < Duration::from_mins(1), "{about} was waited for {took:?}");
        assert!(reply.status.is_none_or(|s| s == 408), "{about}: {reply:?}");
        if about != "a slow head" {
            assert_eq!(told(&reply.body, 408, about), "body_too_slow");
        }
    }
}
