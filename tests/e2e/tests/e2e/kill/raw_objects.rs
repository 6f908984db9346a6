//! The raw objects as they lie on disk.

use std::{collections::BTreeSet, fs::File, path::Path};

use arrow::array::AsArray as _;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use uuid::Uuid;

use super::files::files;

/// Ids of all events in raw objects under `folder`. Of all Parquet files raw objects alone have the column `dead_letter`.
pub fn event_ids(folder: &Path) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::new();
    for path in files(folder) {
        let Ok(reader) = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).expect("a file")) else { continue };
        if reader.schema().field_with_name("dead_letter").is_err() {
            continue;
        }
        let mask = ProjectionMask::columns(reader.parquet_schema(), ["event_id"]);
        for batch in reader.with_projection(mask).build().expect("a raw object is whole") {
            let batch = batch.expect("a raw object is whole");
            ids.extend(batch.column(0).as_string::<i32>().iter().flatten().map(|id| id.parse::<Uuid>().expect("a UUID")));
        }
    }
    ids
}
