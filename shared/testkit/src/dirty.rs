//! Files as they come: with repeats, with what is invalid or suspicious, and with what is late.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clickstream_event::Micros;
use flate2::{Compression, write::GzEncoder};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::traffic::{CLICKS_HEADER, Traffic, TrafficOptions, clicks_json};

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Dirt {
    /// The files: CSV, CSV gzipped, NDJSON, NDJSON compressed by zstd.
    pub files: Vec<PathBuf>,
    /// Records in all files.
    pub records: u64,
    /// Records that repeat an earlier one, which may stand in another file.
    pub repeats: u64,
    /// Records that are invalid.
    pub invalid: u64,
    /// Records that are kept with a warning, without their repeats.
    pub suspicious: u64,
    /// Records that happened hours before their neighbours.
    pub late: u64,
}

/// Cells of a record that may be repeated.
const REMEMBERED: usize = 5_000;

/// Writes `records` records of `site` that happened from `start` on, 0.8 s apart, into four files in `folder`: 5 %
/// repeats, 2 % invalid, 1 % suspicious, 3 % late by hours. Every tenth person with a name sends no session.
pub fn write(folder: &Path, site: &str, seed: u64, records: u64, start: Micros) -> io::Result<Dirt> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut traffic = Traffic::new(TrafficOptions { seed, sites: vec![site.to_owned()], start, step: 800_000 });
    let (mut files, paths) = Files::create(folder)?;
    let mut dirt = Dirt { files: paths, ..Dirt::default() };
    let mut remembered: Vec<Vec<String>> = Vec::new();
    while dirt.records < records {
        dirt.records += 1;
        let file = random.random_range(0..4);
        let roll: f64 = random.random();
        if roll < 0.05 && !remembered.is_empty() {
            dirt.repeats += 1;
            files.write(file, &remembered[random.random_range(0..remembered.len())])?;
            continue;
        }
        let mut event = traffic.next_event();
        if roll >= 0.97 {
            dirt.late += 1;
            event.at = event.at.plus(-random.random_range(1..9) * Micros::HOUR);
        }
        let mut cells = event.to_clicks_cells();
        if cells[USER].ends_with('7') {
            cells[SESSION] = NULL.to_owned();
        }
        if (0.05..0.07).contains(&roll) {
            invalidate(&mut cells, dirt.invalid);
            dirt.invalid += 1;
            files.write(file, &cells)?;
            continue;
        }
        if (0.07..0.08).contains(&roll) {
            make_suspicious(&mut cells, dirt.suspicious);
            dirt.suspicious += 1;
        }
        files.write(file, &cells)?;
        if remembered.len() < REMEMBERED {
            remembered.push(cells);
        } else {
            let place = random.random_range(0..remembered.len());
            remembered[place] = cells;
        }
    }
    files.finish()?;
    Ok(dirt)
}

// Places in the row.
const ID: usize = 0;
const TYPE: usize = 1;
const CREATED: usize = 2;
const SESSION: usize = 4;
const ADDRESS: usize = 5;
const USER: usize = 6;
const ELEMENT: usize = 12;
const WIDTH: usize = 18;
const METADATA: usize = 22;
const NULL: &str = "null";

/// Makes a row invalid, in one of six ways in turn.
fn invalidate(cells: &mut [String], turn: u64) {
    match turn % 6 {
        0 => cells[ID] = NULL.to_owned(),
        1 => cells[TYPE] = "HOVER".to_owned(),
        2 => {
            cells[TYPE] = "CLICK".to_owned();
            cells[ELEMENT] = NULL.to_owned();
        }
        3 => {
            cells[SESSION] = NULL.to_owned();
            cells[USER] = NULL.to_owned();
        }
        4 => cells[CREATED] = "yesterday at noon".to_owned(),
        _ => cells[CREATED] = "2190-01-01 00:00:00".to_owned(),
    }
}

/// Makes a row suspicious, in one of four ways in turn.
fn make_suspicious(cells: &mut [String], turn: u64) {
    match turn % 4 {
        0 => cells[ADDRESS] = "10.0.0.7".to_owned(),
        1 => cells[ADDRESS] = "somewhere".to_owned(),
        2 => cells[WIDTH] = "wide".to_owned(),
        _ => cells[METADATA] = "{\"campaign\":".to_owned(),
    }
}

struct Files {
    csv: BufWriter<File>,
    csv_gz: GzEncoder<File>,
    ndjson: BufWriter<File>,
    ndjson_zst: zstd::Encoder<'static, File>,
}

impl Files {
    fn create(folder: &Path) -> io::Result<(Self, Vec<PathBuf>)> {
        let paths = ["events-1.csv", "events-2.csv.gz", "events-3.ndjson", "events-4.ndjson.zst"].map(|name| folder.join(name));
        let mut files = Self {
            csv: BufWriter::new(File::create(&paths[0])?),
            csv_gz: GzEncoder::new(File::create(&paths[1])?, Compression::fast()),
            ndjson: BufWriter::new(File::create(&paths[2])?),
            ndjson_zst: zstd::Encoder::new(File::create(&paths[3])?, 3)?,
        };
        writeln!(files.csv, "{CLICKS_HEADER}")?;
        writeln!(files.csv_gz, "{CLICKS_HEADER}")?;
        Ok((files, paths.to_vec()))
    }

    fn write(&mut self, file: usize, cells: &[String]) -> io::Result<()> {
        match file {
            0 => writeln!(self.csv, "{}", csv_line(cells)),
            1 => writeln!(self.csv_gz, "{}", csv_line(cells)),
            2 => writeln!(self.ndjson, "{}", clicks_json(cells)),
            _ => writeln!(self.ndjson_zst, "{}", clicks_json(cells)),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        self.csv.flush()?;
        self.csv_gz.finish()?;
        self.ndjson.flush()?;
        self.ndjson_zst.finish()?;
        Ok(())
    }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|c| if c.contains([',', '"', '\n']) { format!("\"{}\"", c.replace('"', "\"\"")) } else { c.clone() });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_files_and_the_shares_are_as_promised() {
        let start = Micros(1_795_000_000_000_000);
        let write_once = |name: &str| {
            let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let dirt = write(&folder, "demo", 3, 20_000, start).unwrap();
            let bytes: Vec<_> = dirt.files.iter().map(|f| fs::read(f).unwrap()).collect();
            fs::remove_dir_all(&folder).unwrap();
            (dirt, bytes)
        };
        let ((dirt, first), (_, second)) = (write_once("dirty-a"), write_once("dirty-b"));
        assert_eq!(first, second);
        let share = |count: u64| count as f64 / dirt.records as f64;
        for (count, wanted) in [(dirt.repeats, 0.05), (dirt.invalid, 0.02), (dirt.suspicious, 0.01), (dirt.late, 0.03)] {
            assert!((share(count) - wanted).abs() < 0.005, "{} instead of {wanted}", share(count));
        }
    }
}
