//! Bodies of collect before they are JSON: the first byte chooses the compression, and whether the rest is taken as it
//! is or compressed before.
#![no_main]

#[path = "../../functions/collect/src/body.rs"]
mod body;
#[allow(dead_code)]
#[path = "../../functions/collect/src/limits.rs"]
mod limits;

use std::io::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use limits::Limits;

/// The refusals of collect that a body can meet.
#[allow(dead_code)]
mod error {
    #[derive(Debug)]
    pub enum CollectError {
        ContentType(String),
        Encoding(String),
        Compressed(&'static str),
        TooLarge(usize),
    }
}

const NAMES: [&str; 6] = ["identity", "gzip", "deflate", "br", "zstd", " X-GZIP "];
const LIMIT: usize = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(choice & 0x0f) % NAMES.len()];
    let limits = Limits { max_body_bytes: LIMIT, max_decompressed_bytes: LIMIT, ..Limits::default() };
    if choice & 0x80 != 0 {
        let packed = pack(name.trim(), bytes);
        match body::plain(&headers(name), None, packed, &limits) {
            Ok(plain) => assert_eq!(plain, bytes, "what was packed is unpacked"),
            Err(error) => assert!(bytes.len() > LIMIT / 2, "{error:?}"),
        }
        return;
    }
    let unpacked = body::plain(&headers(name), None, Bytes::copy_from_slice(bytes), &limits);
    let by_query = body::plain(&HeaderMap::new(), Some(name), Bytes::copy_from_slice(bytes), &limits);
    match (unpacked, by_query) {
        (Ok(plain), Ok(same)) => {
            assert!(plain.len() <= LIMIT, "no more than the limit comes out");
            assert_eq!(plain, same);
        }
        (Err(_), Err(_)) => {}
        (header, query) => panic!("header and query differ: {header:?}, {query:?}"),
    }
    // The bytes as names of a type and of an encoding.
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        headers.insert(header::CONTENT_ENCODING, value.clone());
        let _ = body::plain(&headers, None, Bytes::from_static(b"{}"), &limits);
        headers.clear();
        headers.insert(header::CONTENT_TYPE, value);
        let _ = body::plain(&headers, None, Bytes::from_static(b"{}"), &limits);
    }
});

fn headers(encoding: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))])
}

fn pack(name: &str, plain: &[u8]) -> Bytes {
    let level = flate2::Compression::fast();
    let written = "memory takes everything";
    match name {
        "identity" => plain.to_vec(),
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(plain).expect(written);
            writer.finish().expect(written)
        }
        "br" => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 4_096, 1, 16).write_all(plain).expect(written);
            packed
        }
        "zstd" => zstd::encode_all(plain, 1).expect(written),
        _ => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(plain).expect(written);
            writer.finish().expect(written)
        }
    }
    .into()
}
