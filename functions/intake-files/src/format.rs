//! Formats and compressions by a file's name.

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Comma-separated, with a header.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// One JSON array, or objects one after the other.
    Json,
    /// Parquet.
    Parquet,
}

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// Brotli.
    Brotli,
}

/// The names that are taken.
pub const TAKEN: &str = ".csv, .ndjson, .jsonl, .json, each also with .gz, .zst or .br, and .parquet";

/// A file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Of its rows.
    pub rows: Rows,
    /// Of its bytes.
    pub packing: Packing,
}

impl Format {
    /// The format that `name` tells.
    pub fn of(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (stem, packing) = [(".gz", Packing::Gzip), (".zst", Packing::Zstd), (".br", Packing::Brotli)]
            .into_iter()
            .find_map(|(ending, packing)| lower.strip_suffix(ending).map(|stem| (stem, packing)))
            .unwrap_or((&lower, Packing::Plain));
        let rows = match stem.rsplit_once('.')?.1 {
            "csv" => Rows::Csv,
            "ndjson" | "jsonl" => Rows::Ndjson,
            "json" => Rows::Json,
            "parquet" if packing == Packing::Plain => Rows::Parquet,
            _ => return None,
        };
        Some(Self { rows, packing })
    }

    /// For people: `csv.gz`.
    pub fn name(self) -> String {
        let rows = match self.rows {
            Rows::Csv => "csv",
            Rows::Ndjson => "ndjson",
            Rows::Json => "json",
            Rows::Parquet => "parquet",
        };
        let packing = match self.packing {
            Packing::Plain => "",
            Packing::Gzip => ".gz",
            Packing::Zstd => ".zst",
            Packing::Brotli => ".br",
        };
        format!("{rows}{packing}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        for (name, told) in
            [("a.csv", "csv"), ("b.CSV.GZ", "csv.gz"), ("c.jsonl.zst", "ndjson.zst"), ("d.json.br", "json.br"), ("e.parquet", "parquet")]
        {
            assert_eq!(Format::of(name).map(Format::name).as_deref(), Some(told), "{name}");
        }
        for name in ["a", "a.xlsx", "a.parquet.gz", ".gz"] {
            assert_eq!(Format::of(name), None, "{name}");
        }
    }
}
