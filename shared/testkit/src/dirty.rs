//! Files as they come: with repeats, with what is invalid, and with what is late.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clickstream_event::Micros;
use flate2::{Compression, write::GzEncoder};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::traffic::{CLICKS_HEADER, Traffic, TrafficEvent, TrafficOptions};

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Dirt {
    /// The files: CSV, CSV gzipped, NDJSON, NDJSON compressed by zstd.
    pub files: Vec<PathBuf>,
    /// Records in all files.
    pub records: u64,
    /// Records that repeat an earlier one.
    pub repeats: u64,
    /// Records that are invalid.
    pub invalid: u64,
    /// Records that happened hours before their neighbours.
    pub late: u64,
}

/// Kinds of invalid records, in turn.
const INVALID: usize = 6;

struct Files {
    csv: BufWriter<File>,
    csv_gz: GzEncoder<File>,
    ndjson: BufWriter<File>,
    ndjson_zst: zstd::Encoder<'static, File>,
}

/// Writes `records` records of `site` that happened from `start` on into four files in `folder`: 5 % repeats (some in
/// another file), 2 % invalid, 3 % late by hours.
pub fn write(folder: &Path, site: &str, seed: u64, records: u64, start: Micros) -> io::Result<Dirt> {
    let names = ["events.csv", "events-2.csv.gz", "events-3.ndjson", "events-4.ndjson.zst"];
    let files: Vec<PathBuf> = names.iter().map(|n| folder.join(n)).collect();
    let mut out = Files {
        csv: BufWriter::new(File::create(&files[0])?),
        csv_gz: GzEncoder::new(File::create(&files[1])?, Compression::fast()),
        ndjson: BufWriter::new(File::create(&files[2])?),
        ndjson_zst: zstd::Encoder::new(File::create(&files[3])?, 3)?,
    };
    writeln!(out.csv, "{CLICKS_HEADER}")?;
    writeln!(out.csv_gz, "{CLICKS_HEADER}")?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut traffic = Traffic::new(TrafficOptions { seed, sites: vec![site.to_owned()], start, step: 800_000 });
    let mut recent: Vec<TrafficEvent> = Vec::new();
    let mut dirt = Dirt { files, ..Dirt::default() };
    while dirt.records < records {
        let file = random.random_range(0..4);
        let roll: f64 = random.random();
        let event = if roll < 0.05 && !recent.is_empty() {
            dirt.repeats += 1;
            recent[random.random_range(0..recent.len())].clone()
        } else {
            let mut event = traffic.next_event();
            if roll > 0.97 {
                dirt.late += 1;
                event.at = event.at.plus(-random.random_range(1..9) * Micros::HOUR);
            }
            event
        };
        let broken = (0.05..0.07).contains(&roll).then(|| {
            dirt.invalid += 1;
            dirt.invalid as usize % INVALID
        });
        out.write(file, &event, broken)?;
        dirt.records += 1;
        if broken.is_none() {
            if recent.len() < 5_000 {
                recent.push(event);
            } else {
                let place = random.random_range(0..recent.len());
                recent[place] = event;
            }
        }
    }
    out.csv.flush()?;
    out.csv_gz.finish()?;
    out.ndjson.flush()?;
    out.ndjson_zst.finish()?;
    Ok(dirt)
}

impl Files {
    fn write(&mut self, file: usize, event: &TrafficEvent, broken: Option<usize>) -> io::Result<()> {
        let mut cells = event.to_clicks_cells();
        if let Some(kind) = broken {
            break_cells(&mut cells, kind);
        }
        match file {
            0 => writeln!(self.csv, "{}", csv_line(&cells)),
            1 => writeln!(self.csv_gz, "{}", csv_line(&cells)),
            2 => writeln!(self.ndjson, "{}", json_of(&cells)),
            _ => writeln!(self.ndjson_zst, "{}", json_of(&cells)),
        }
    }
}

/// Makes a row invalid, in one of six ways.
fn break_cells(cells: &mut [String], kind: usize) {
    match kind {
        0 => cells[0] = "null".to_owned(),
        1 => cells[1] = "HOVER".to_owned(),
        2 => {
            cells[1] = "CLICK".to_owned();
            cells[12] = "null".to_owned();
        }
        3 => {
            cells[4] = "null".to_owned();
            cells[6] = "null".to_owned();
        }
        4 => cells[2] = "yesterday at noon".to_owned(),
        _ => cells[2] = "2190-01-01 00:00:00".to_owned(),
    }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|c| if c.contains([',', '"', '\n']) { format!("\"{}\"", c.replace('"', "\"\"")) } else { c.clone() });
    quoted.collect::<Vec<_>>().join(",")
}

fn json_of(cells: &[String]) -> Value {
    let mut event = serde_json::json!({ "payload": {} });
    for (name, cell) in CLICKS_HEADER.split(',').zip(cells) {
        let value = if cell == "null" { Value::Null } else { Value::String(cell.clone()) };
        match name.strip_prefix("payload.") {
            Some(name) => event["payload"][name] = value,
            None => event[name] = value,
        }
    }
    event
}
