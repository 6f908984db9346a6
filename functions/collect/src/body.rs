//! Bodies: their type, and decompression that stops at its limit.

use std::io::{Cursor, Read};

use bytes::Bytes;
use http::{HeaderMap, header};

use crate::{Limits, error::CollectError};

/// The body as JSON text, decompressed.
pub fn plain(headers: &HeaderMap, query_compression: Option<&str>, body: Bytes, limits: &Limits) -> Result<Bytes, CollectError> {
    check_type(headers)?;
    if body.len() > limits.max_body_bytes {
        return Err(CollectError::TooLarge(limits.max_body_bytes));
    }
    let header = match headers.get(header::CONTENT_ENCODING) {
        Some(value) => Some(value.to_str().map_err(|_| CollectError::Encoding("?".into()))?),
        None => None,
    };
    let encoding = header.or(query_compression).unwrap_or("identity").trim().to_ascii_lowercase();
    let limit = limits.max_decompressed_bytes;
    let decoded = match encoding.as_str() {
        "" | "identity" => return Ok(body),
        "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(Cursor::new(body)), "gzip", limit)?,
        "deflate" => deflate(&body, limit)?,
        "br" => read(brotli::Decompressor::new(Cursor::new(body), 8 << 10), "br", limit)?,
        "zstd" => read(zstd_reader(body)?, "zstd", limit)?,
        other => return Err(CollectError::Encoding(other.chars().take(40).collect())),
    };
    Ok(decoded.into())
}

/// `deflate` means a zlib stream (RFC 9110), but some clients send it bare.
fn deflate(body: &Bytes, limit: usize) -> Result<Vec<u8>, CollectError> {
    match read(flate2::read::ZlibDecoder::new(Cursor::new(body.clone())), "deflate", limit) {
        Err(CollectError::Compressed(_)) => read(flate2::read::DeflateDecoder::new(Cursor::new(body.clone())), "deflate", limit),
        other => other,
    }
}

/// A decoder whose window, and so whose memory, is bounded to 8 MiB.
fn zstd_reader(body: Bytes) -> Result<impl Read, CollectError> {
    let mut decoder = zstd::stream::read::Decoder::new(Cursor::new(body)).map_err(|_| CollectError::Compressed("zstd"))?;
    decoder.window_log_max(23).map_err(|_| CollectError::Compressed("zstd"))?;
    Ok(decoder)
}

fn read(reader: impl Read, name: &'static str, limit: usize) -> Result<Vec<u8>, CollectError> {
    let mut decoded = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut decoded).map_err(|_| CollectError::Compressed(name))?;
    if decoded.len() > limit {
        return Err(CollectError::TooLarge(limit));
    }
    Ok(decoded)
}

/// JSON, or what a beacon can send without a preflight; nothing stands for JSON.
fn check_type(headers: &HeaderMap) -> Result<(), CollectError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or("?");
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "" | "application/json" | "text/plain" | "application/x-www-form-urlencoded" => Ok(()),
        other if other.ends_with("+json") => Ok(()),
        _ => Err(CollectError::ContentType(text.chars().take(80).collect())),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn sent(encoding: &str, body: Vec<u8>) -> Result<Bytes, CollectError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
        plain(&headers, None, body.into(), &Limits::default())
    }

    fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
        match encoding {
            "gzip" => {
                let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                w.write_all(plain).unwrap();
                w.finish().unwrap()
            }
            "deflate" => {
                let mut w = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
                w.write_all(plain).unwrap();
                w.finish().unwrap()
            }
            "br" => {
                let mut packed = Vec::new();
                brotli::CompressorWriter::new(&mut packed, 4096, 5, 20).write_all(plain).unwrap();
                packed
            }
            _ => zstd::encode_all(plain, 3).unwrap(),
        }
    }

    #[test]
    fn every_encoding_is_read_and_a_cut_or_swollen_one_refused() {
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            let body = packed(encoding, br#"{"batch":[]}"#);
            assert_eq!(sent(encoding, body.clone()).unwrap(), &br#"{"batch":[]}"#[..], "{encoding}");
            assert!(matches!(sent(encoding, body[..body.len() - 3].to_vec()), Err(CollectError::Compressed(_))), "{encoding} cut");
            let bomb = packed(encoding, &vec![b' '; 64 << 20]);
            assert!(matches!(sent(encoding, bomb), Err(CollectError::TooLarge(_))), "{encoding} bomb");
        }
        assert!(matches!(sent("lzma", vec![1]), Err(CollectError::Encoding(_))));
    }

    #[test]
    fn a_type_that_is_no_json_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/xml".parse().unwrap());
        assert!(matches!(plain(&headers, None, Bytes::new(), &Limits::default()), Err(CollectError::ContentType(_))));
    }
}
