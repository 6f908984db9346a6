//! Bodies that a service must refuse without dying or growing.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// A hostile request to `/v1/batch`.
pub struct Hostile {
    /// What is wrong with it.
    pub name: &'static str,
    /// `Content-Encoding`, if any.
    pub encoding: Option<&'static str>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The status that says what is wrong.
    pub status: u16,
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Every hostile body.
pub fn bodies() -> Vec<Hostile> {
    let json = "application/json";
    let event = br#"{"batch":[{"type":"track","event":"e","anonymousId":"a"}]}"#;
    let plain = |name, body: Vec<u8>, status| Hostile { name, encoding: None, content_type: json, body, status };
    let packed = |name, encoding, body, status| Hostile { name, encoding: Some(encoding), content_type: json, body, status };
    vec![
        plain("nothing", Vec::new(), 400),
        plain("cut", event[..30].to_vec(), 400),
        plain("too large", vec![b' '; (1 << 20) + 1], 413),
        plain("nested a hundred thousand deep", "[".repeat(100_000).into_bytes(), 400),
        plain("objects nested deep", format!("{{\"batch\":[{}1{}]}}", "{\"a\":".repeat(5_000), "}".repeat(5_000)).into_bytes(), 400),
        plain("not UTF-8", b"{\"batch\":[{\"type\":\"\xff\xfe\"}]}".to_vec(), 400),
        plain("UTF-16", event.iter().flat_map(|b| [*b, 0]).collect(), 400),
        plain("a lone surrogate", br#"{"batch":[{"type":"\ud800"}],"writeKey":"\ud800"}"#.to_vec(), 400),
        plain("a number", b"7".to_vec(), 422),
        plain("an array", b"[]".to_vec(), 422),
        plain("a batch that is a text", br#"{"batch":"events"}"#.to_vec(), 422),
        plain("no batch", b"{}".to_vec(), 422),
        plain("too many events", format!("{{\"batch\":[{}1]}}", "1,".repeat(600)).into_bytes(), 413),
        plain("two bodies", [&event[..], &event[..]].concat(), 400),
        Hostile { name: "XML", encoding: None, content_type: "application/xml", body: b"<batch/>".to_vec(), status: 415 },
        packed("gzip that is none", "gzip", event.to_vec(), 400),
        packed("gzip that is cut", "gzip", gzip(event)[..20].to_vec(), 400),
        packed("a bomb in gzip", "gzip", gzip(&vec![b' '; 512 << 20]), 413),
        packed("a bomb in zstd", "zstd", zstd::encode_all(&vec![b' '; 256 << 20][..], 3).unwrap_or_default(), 413),
        packed("brotli that is none", "br", vec![0xff; 64], 400),
        packed("deflate that is none", "deflate", vec![0xff; 64], 400),
        packed("an unknown encoding", "lzma", event.to_vec(), 415),
    ]
}
