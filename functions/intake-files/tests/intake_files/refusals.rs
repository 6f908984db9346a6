//! Files that are wrong as a whole: what was read before stands, and the receipt says what is wrong.

use std::{io::Write as _, sync::Arc};

use crate::service::{self, Service, code, lines};
use arrow::{
    array::{RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use clickstream_intake_files::{FileOutcome, Limits};
use clickstream_objects::{Notification, Objects as _};
use flate2::{Compression, write::GzEncoder};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression as Codec, ZstdLevel},
    file::properties::WriterProperties,
};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
    encoder.write_all(plain).unwrap();
    encoder.into_inner()
}

/// A Parquet file of one column whose pages decompress to many times their size.
fn parquet_bomb(bytes: usize) -> Vec<u8> {
    let schema = Arc::new(Schema::new(vec![Field::new("event_id", DataType::Utf8, true)]));
    let properties = WriterProperties::builder().set_compression(Codec::ZSTD(ZstdLevel::default())).set_dictionary_enabled(false).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).unwrap();
    let text = "0".repeat(1 << 20);
    for _ in 0..bytes >> 20 {
        let column = Arc::new(StringArray::from(vec![text.as_str()]));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_says_so_and_what_was_read_stands() {
    let service = Service::start().await;
    // Random enough that a cut in the middle leaves whole lines before it.
    let text: String = (0..40_000).map(|_| service::line(uuid::Uuid::new_v4()) + "\n").collect();
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let files = [
        ("a.ndjson.gz", half(gzip(text.as_bytes()))),
        ("b.ndjson.zst", half(zstd::encode_all(text.as_bytes(), 1).unwrap())),
        ("c.ndjson.br", half(brotli(text.as_bytes()))),
        ("d.json", format!("[{}", text.lines().take(20_000).collect::<Vec<_>>().join(",")).into_bytes()),
    ];
    for (name, bytes) in files {
        let receipt = service.receipt(name, bytes).await;
        assert_eq!(code(&receipt), Some("unreadable"), "{name}");
        assert!(receipt.error.unwrap().message.contains("cut"), "{name}");
        assert!((1_000..40_000).contains(&receipt.accepted), "{name}: {}", receipt.accepted);
        assert_eq!(receipt.rejected, 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_its_name_says_is_refused() {
    let service = Service::start().await;
    let text = lines(0..3);
    for (name, bytes, wanted) in [
        ("a.ndjson.gz", text.clone().into_bytes(), "unreadable"),
        ("b.ndjson.zst", text.clone().into_bytes(), "unreadable"),
        ("c.ndjson.br", vec![0xff; 64], "unreadable"),
        ("d.parquet", text.clone().into_bytes(), "parquet"),
        ("e.parquet", Vec::new(), "parquet"),
        ("f.json", b"]".to_vec(), "json"),
        ("g.csv", b"\xff\xfea\x00,\x00b\x00\n\x00".to_vec(), "csv"),
        ("h.csv", b"name,value\n1,2\n".to_vec(), "header"),
        ("i.csv", b"id,createdAt\n1,2\n".to_vec(), "header"),
        ("j.csv", Vec::new(), "header"),
        ("k.xlsx", text.clone().into_bytes(), "format"),
        ("l", text.clone().into_bytes(), "format"),
    ] {
        let receipt = service.receipt(name, bytes).await;
        assert_eq!((code(&receipt), receipt.lines), (Some(wanted), 0), "{name}: {:?}", receipt.error);
    }
    assert!(service.events().is_empty() && service.rejections().is_empty());
    let receipt = service.receipt("m.csv", "id,createdAt\n").await;
    assert!(receipt.error.unwrap().message.contains("lacks type"));
    let receipt = service.receipt("m.pdf", "x").await;
    assert!(receipt.error.unwrap().message.contains(".csv, .ndjson"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_stopped_long_before_its_end() {
    let service = Service::start().await;
    let zeros = vec![b'0'; 80 << 20];
    for (name, bytes) in [
        ("a.ndjson.gz", gzip(&zeros)),
        ("b.json.gz", gzip(&zeros)),
        ("c.ndjson.zst", zstd::encode_all(&zeros[..], 1).unwrap()),
        ("d.ndjson.br", brotli(&zeros)),
        ("e.parquet", parquet_bomb(80 << 20)),
    ] {
        let receipt = service.receipt(name, bytes).await;
        assert_eq!((code(&receipt), receipt.lines), (Some("too_large"), 0), "{name}: {:?}", receipt.error);
        assert!(receipt.error.unwrap().message.contains("200 times"), "{name}");
    }
    let receipt = service.receipt("f.csv", format!("event_id,action\n\"{}", "x".repeat(5 << 20))).await;
    assert!(receipt.error.unwrap().message.contains("quote never closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_over_the_limit_of_bytes_is_taken_up_to_it() {
    let service = Service::limited(Limits { max_decompressed_bytes: 1 << 20, ..Limits::default() }).await;
    let text = lines(0..20_000);
    let receipt = service.receipt("a.ndjson.gz", gzip(text.as_bytes())).await;
    assert_eq!(code(&receipt), Some("too_large"));
    assert!((1_000..10_000).contains(&receipt.accepted), "{}", receipt.accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_unknown_site_is_kept_in_quarantine() {
    let service = Service::start().await;
    for content in ["one", "two"] {
        let announced = service.bucket.put("inbox/ghost/2026/a.csv", content).await;
        assert_eq!(service.intake.handle(&announced).await.unwrap(), FileOutcome::Quarantined);
        assert_eq!(service.intake.handle(&announced).await.unwrap(), FileOutcome::Gone);
        let kept = format!("quarantine/ghost/{}/2026/a.csv", announced.etag);
        assert_eq!(service.bucket.objects.get(&kept).await.unwrap().1, content);
    }
    assert_eq!(service.bucket.keys("").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outside_the_inbox_and_folders_are_ignored() {
    let service = Service::start().await;
    for key in ["inbox/a.csv", "inbox//a.csv", "inbox/shop/", "inbox/shop/2026/", "raw/inbox/shop/a.csv", "receipts/shop/a.csv-1.json"] {
        let announced = service.bucket.put(key, "").await;
        assert_eq!(service.intake.handle(&announced).await.unwrap(), FileOutcome::Ignored, "{key}");
    }
    let gone = Notification { bucket: "clickstream".into(), key: "inbox/shop/gone.csv".into(), etag: String::new(), size: 0 };
    assert_eq!(service.intake.handle(&gone).await.unwrap(), FileOutcome::Gone);
}
