//! Files of events, written and read.
#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::{array::RecordBatch, compute::concat_batches};
use clickstream_columns::{
    ColumnsError, RawFile, RawRow, event_schema, raw_batch, read_parquet, write_lake_columns, write_lake_file, write_raw_rows,
};
use clickstream_event::Event;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::json;

fn event(number: u64) -> Event {
    let site = ["shop", "blog"][(number % 2) as usize];
    let at = format!("2026-11-24T10:00:{:02}.{:06}Z", number % 60, number % 1_000_000);
    serde_json::from_value(json!({
        "event_id": uuid::Uuid::from_u128(u128::from(number) << 64 | 7), "site_id": site, "action": "click",
        "name": (!number.is_multiple_of(3)).then(|| format!("name {}", number % 1_000)), "original_at": at, "occurred_at": at, "received_at": at,
        "element_id": "buy", "x": number % 500, "warnings": if number.is_multiple_of(5) { vec!["w"] } else { vec![] }, "source": "http",
        "verdict": "valid", "properties": { "number": number }
    }))
    .unwrap()
}

fn rows(count: u64) -> Vec<(u64, RawRow)> {
    (0..count).map(|n| (n, RawRow::Event(Box::new(event(n))))).collect()
}

fn whole(bytes: bytes::Bytes) -> RecordBatch {
    let batches = read_parquet(bytes).unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// More than one row group.
const MANY: u64 = 140_000;

#[test]
fn a_file_written_by_columns_is_the_one_written_by_rows() {
    let raw = raw_batch("l", 0, &rows(MANY)).unwrap();
    let batch = raw.project(&(0..event_schema().fields().len()).collect::<Vec<_>>()).unwrap();
    let by_rows = write_lake_file([Ok(batch.clone())]).unwrap();
    for threads in [1, 3] {
        let open = |field: &arrow::datatypes::Field| {
            let column = batch.column_by_name(field.name()).cloned().ok_or(ColumnsError::Column("none"))?;
            let rows: clickstream_columns::ColumnRows<'_> =
                Box::new(move |range: std::ops::Range<usize>| Ok(column.slice(range.start, range.len())));
            Ok(rows)
        };
        let by_columns = write_lake_columns(MANY as usize, threads, open).unwrap();
        assert_eq!(whole(by_columns.clone()), whole(by_rows.clone()));
        let (ours, theirs) = (SerializedFileReader::new(by_columns).unwrap(), SerializedFileReader::new(by_rows.clone()).unwrap());
        assert_eq!(ours.metadata().num_row_groups(), 2);
        for (a, b) in ours.metadata().row_groups().iter().zip(theirs.metadata().row_groups()) {
            for (a, b) in a.columns().iter().zip(b.columns()) {
                let name = a.column_path().string();
                assert_eq!(a.statistics(), b.statistics(), "{name}");
                assert_eq!((a.compression(), a.bloom_filter_offset().is_some()), (b.compression(), name == "event_id"), "{name}");
            }
        }
    }
}

#[test]
fn an_error_of_one_column_is_the_error_of_the_file() {
    let error = write_lake_columns(10, 2, |_| Err(ColumnsError::Column("x"))).unwrap_err();
    assert!(matches!(error, ColumnsError::Column("x")), "{error}");
}

#[test]
fn a_raw_object_is_sorted_and_its_columns_read_one_by_one() {
    let mut landed = rows(3_000);
    landed.push((3_000, RawRow::DeadLetter(b"?".to_vec())));
    let bytes = write_raw_rows("l", 2, &landed).unwrap();
    let mut sorted: Vec<_> = landed.iter().collect();
    sorted.sort_by_key(|(offset, row)| match row {
        RawRow::Event(event) => (Some((event.site_id.clone(), event.original_at)), *offset),
        RawRow::DeadLetter(_) => (None, *offset),
    });
    let expected = raw_batch("l", 2, &sorted.into_iter().cloned().collect::<Vec<_>>()).unwrap();
    assert_eq!(whole(bytes.clone()), expected);
    let file = RawFile::open(bytes.clone()).unwrap();
    assert_eq!((file.rows(), file.size()), (3_001, bytes.len() as u64));
    assert!(file.largest(1) < file.largest(2));
    assert!(file.column("no such column").unwrap().is_none());
    for field in expected.schema().fields() {
        let read = file.column(field.name()).unwrap().unwrap();
        assert_eq!(
            &arrow::compute::cast(&read, field.data_type()).unwrap(),
            expected.column_by_name(field.name()).unwrap(),
            "{}",
            field.name()
        );
    }
    assert!(RawFile::open(bytes::Bytes::from_static(b"PAR1")).is_err());
}
