//! Bodies that are cut, wrongly encoded, too deep, too large, or swell: refused in a sentence, without growing.

use std::io::Write as _;

use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_testkit::hostile;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use reqwest::Response;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use super::problem::problem;

/// Requests after which memory is looked at again, unless `HOSTILE_REQUESTS` says otherwise.
const REQUESTS: usize = 4_000;
/// Memory may differ by so much between two looks, bytes: allocators keep some, and compaction runs beside.
const TOLERANCE: u64 = 96 << 20;
/// What a bomb swells to, bytes.
const BOMB: usize = 64 << 20;

struct Body {
    name: &'static str,
    encoding: Option<&'static str>,
    kind: &'static str,
    bytes: Vec<u8>,
    status: u16,
}

/// Those of the testkit, and those that need a codec more.
fn bodies() -> Vec<Body> {
    let event = br#"{"batch":[{"type":"track","event":"e","anonymousId":"a"}]}"#;
    let spaces = vec![b' '; BOMB];
    let packed = |name, encoding, bytes, status| Body { name, encoding: Some(encoding), kind: "application/json", bytes, status };
    let typed = |name, kind| Body { name, encoding: None, kind, bytes: event.to_vec(), status: 415 };
    let mut bodies: Vec<_> = hostile::bodies()
        .into_iter()
        .map(|h| Body { name: h.name, encoding: h.encoding, kind: h.content_type, bytes: h.body, status: h.status })
        .collect();
    bodies.extend([
        packed("a bomb in zlib", "deflate", zlib(&spaces), 413),
        packed("a bomb in bare deflate", "deflate", deflate(&spaces), 413),
        packed("a bomb in brotli", "br", brotli(&spaces), 413),
        packed("a bomb of a thousand gzip members", "gzip", gzip(&[b' '; 8 << 10]).repeat(1_000), 413),
        packed("gzip in gzip, announced once", "gzip", gzip(&gzip(event)), 400),
        packed("gzip in gzip, announced twice", "gzip, gzip", gzip(&gzip(event)), 415),
        packed("a bomb in a bomb", "gzip", gzip(&gzip(&spaces)), 400),
        packed("a cut zstd", "zstd", zstd::encode_all(&event[..], 3).expect("packed")[..20].to_vec(), 400),
        packed("zstd with a window of 2 GiB", "zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00], 400),
        packed("br said of gzip", "br", gzip(event), 400),
        packed("an encoding with a long name", "x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", event.to_vec(), 415),
        typed("a form with files", "multipart/form-data; boundary=x"),
        typed("an image", "image/png"),
        typed("no type at all in words", "nonsense"),
        Body {
            name: "a byte order mark",
            encoding: None,
            kind: "application/json",
            bytes: [b"\xef\xbb\xbf", &event[..]].concat(),
            status: 400,
        },
        Body {
            name: "ten million commas",
            encoding: Some("gzip"),
            kind: "application/json",
            bytes: gzip(&vec![b','; 1 << 20]),
            status: 400,
        },
        Body { name: "NaN", encoding: None, kind: "application/json", bytes: br#"{"batch":[{"x":NaN}]}"#.to_vec(), status: 400 },
        Body { name: "two batches", encoding: None, kind: "application/json", bytes: br#"{"batch":[],"batch":[]}"#.to_vec(), status: 422 },
    ]);
    bodies
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 5, 20).write_all(bytes).expect("packed");
    packed
}

async fn send(service: &Service, body: &Body) -> Response {
    let mut request = service.post("/v1/batch?writeKey=demo").header("content-type", body.kind).body(body.bytes.clone());
    if let Some(encoding) = body.encoding {
        request = request.header("content-encoding", encoding);
    }
    request.send().await.unwrap_or_else(|e| panic!("{}: {e:?}", body.name))
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_hostile_bodies_are_refused_in_words_and_the_service_neither_dies_nor_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let bodies = bodies();
    let requests = std::env::var("HOSTILE_REQUESTS").map_or(REQUESTS, |text| text.parse().expect("HOSTILE_REQUESTS is a number"));
    for body in &bodies {
        problem(send(&service, body).await, body.status, body.name).await;
    }
    // Once more, so that what is made once is made.
    for body in bodies.iter().cycle().take(REQUESTS / 10) {
        send(&service, body).await.bytes().await.expect("an answer");
    }
    let before = service.resident_bytes();
    for body in bodies.iter().cycle().take(requests) {
        assert_eq!(send(&service, body).await.status().as_u16(), body.status, "{}", body.name);
    }
    let after = service.resident_bytes();
    println!("{requests} hostile requests: {} MiB resident before, {} MiB after", before >> 20, after >> 20);
    assert!(after < before + TOLERANCE, "{before} bytes before, {after} after");
    takes_good_events(&service).await;
}

/// A click is taken and counted.
async fn takes_good_events(service: &Service) {
    let element = Uuid::new_v4().to_string();
    let click = json!({ "type": "track", "event": "element_clicked", "anonymousId": "a", "properties": { "element_id": element } });
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": "demo", "batch": [click] })).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    assert_ne!(answer["results"][0]["result"], "rejected", "{answer}");
    eventually(Duration::from_secs(20), "the click is counted", || async {
        let rows = service.json("/v1/reports/elements?site=demo").await["rows"].clone();
        let found = rows.as_array().is_some_and(|rows| rows.iter().any(|r| r["element_id"] == element.as_str()));
        if found { Ok(()) } else { Err(format!("{rows}")) }
    })
    .await;
}
