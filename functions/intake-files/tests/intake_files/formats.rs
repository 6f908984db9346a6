//! The same events, whatever the file's format and compression.

use std::{
    io::{Cursor, Write as _},
    sync::Arc,
};

use crate::service::{self, Service};
use arrow::json::{ReaderBuilder, reader::infer_json_schema};
use clickstream_event::{Event, Micros};
use clickstream_testkit::traffic::{CLICKS_HEADER, Traffic, TrafficOptions};
use parquet::arrow::ArrowWriter;

fn csv(cells: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(CLICKS_HEADER.split(',')).unwrap();
    cells.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

fn parquet(ndjson: &[u8]) -> Vec<u8> {
    let (schema, _) = infer_json_schema(Cursor::new(ndjson), None).unwrap();
    let schema = Arc::new(schema);
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), None).unwrap();
    for batch in ReaderBuilder::new(schema).build(Cursor::new(ndjson)).unwrap() {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 1).unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
    encoder.write_all(plain).unwrap();
    encoder.into_inner()
}

/// What was taken, apart from the moment.
async fn taken(name: &str, bytes: Vec<u8>) -> Vec<Event> {
    let service = Service::start().await;
    let receipt = service.receipt(name, bytes).await;
    assert_eq!((receipt.error, receipt.rejected), (None, 0), "{name}");
    let mut events = service.events();
    assert_eq!(receipt.lines, events.len() as u64, "{name}");
    events.iter_mut().for_each(|e| e.received_at = Micros(0));
    events.sort_by_key(|e| e.event_id);
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_and_compression_gives_the_same_events() {
    let start = Micros(1_795_514_400_000_000);
    let mut traffic = Traffic::new(TrafficOptions { seed: 5, sites: vec!["shop".to_owned()], start, step: 1_000 });
    let events: Vec<_> = (0..40).map(|_| traffic.next_event()).collect();
    let cells: Vec<_> = events.iter().map(clickstream_testkit::traffic::TrafficEvent::to_clicks_cells).collect();
    let objects: Vec<String> = events.iter().map(|e| e.to_clicks_json().to_string()).collect();
    let table = csv(&cells);
    let ndjson = objects.join("\n").into_bytes();
    let array = format!("[{}]", objects.join(",\r\n\t")).into_bytes();

    let wanted = taken("a.csv", table.clone()).await;
    assert_eq!(wanted.len(), 40);
    let files = [
        ("b.CSV.GZ", gzip(&table)),
        ("c.csv.zst", zstd(&table)),
        ("d.csv.br", brotli(&table)),
        ("e.ndjson", ndjson.clone()),
        ("f.jsonl.gz", gzip(&ndjson)),
        ("g.ndjson.zst", zstd(&ndjson)),
        ("h.ndjson.br", brotli(&ndjson)),
        ("i.json", array.clone()),
        ("j.json.gz", gzip(&array)),
        ("k.json", objects.concat().into_bytes()),
        ("l.parquet", parquet(&ndjson)),
        // Two files, one after the other, as `cat` joins them.
        ("m.ndjson.gz", [gzip(&ndjson[..100]), gzip(&ndjson[100..])].concat()),
        ("n.ndjson.zst", [zstd(&ndjson[..100]), zstd(&ndjson[100..])].concat()),
    ];
    for (name, bytes) in files {
        assert_eq!(taken(name, bytes).await, wanted, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_object_is_a_file_of_one_event() {
    let events = taken("one.json", format!("\n  {}\n", service::line(1)).into_bytes()).await;
    assert_eq!(events.len(), 1);
    assert_eq!(taken("one.json", format!("[ {} ]", service::line(1)).into_bytes()).await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_windows_are_read_like_others() {
    let header = "event_id,action,element_id,user_id,device_type,occurred_at\r\n";
    let row = "7,click,buy,u,desktop,2026-11-24 10:00:00\r\n";
    let wanted = taken("a.csv", [header, row].concat().replace('\r', "").into_bytes()).await;
    let mark = "\u{feff}";
    let line = service::line(7);
    let files = [
        ("b.csv", [mark, header, row].concat()),
        ("c.ndjson", [mark, &line, "\r\n\r\n"].concat()),
        ("d.json", [mark, "[\r\n", &line, "\r\n]\r\n"].concat()),
    ];
    for (name, text) in files {
        assert_eq!(taken(name, text.into_bytes()).await, wanted, "{name}");
    }
}
