//! Events as Arrow columns and Parquet files: the format of raw objects and of the lake.

mod from_arrow;
mod gap_key;
mod lake_file;
mod parquet_file;
mod ranged;
mod raw_file;
mod raw_key;
mod raw_metadata;
mod schema;
mod sorted_rows;
mod timed_file;
mod to_arrow;

pub use from_arrow::{PlacedEvent, RawRecord, placed_events, records};
pub use gap_key::{gap_key, gap_offsets, gap_prefix};
pub use lake_file::{ColumnRows, write_lake_columns};
pub use parquet_file::{ColumnsError, read_columns, read_parquet, write_lake_file, write_raw_object, write_raw_rows};
pub use ranged::{FileBytes, read_groups};
pub use raw_file::{RawFile, read_type};
pub use raw_key::{raw_key, raw_offsets, raw_prefix};
pub use raw_metadata::raw_metadata;
pub use schema::{event_schema, raw_schema, required_columns};
pub use sorted_rows::SortedRows;
pub use timed_file::{LakePart, TimedFile, write_lake_part};
pub use to_arrow::{RawRow, lake_batch, raw_batch};
