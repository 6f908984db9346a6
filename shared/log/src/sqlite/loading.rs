//! What is read from the file once, at opening, besides the topics.

use std::collections::HashMap;

use clickstream_sqlite::Failure;
use rusqlite::{Connection, OptionalExtension};

/// The identity made when the file was.
pub(super) fn log_id(connection: &Connection) -> Result<String, Failure> {
    let found = connection.query_row("SELECT log_id FROM log", [], |r| r.get(0)).optional()?;
    if let Some(log_id) = found {
        return Ok(log_id);
    }
    let log_id = uuid::Uuid::new_v4().to_string();
    connection.execute("INSERT INTO log (log_id) VALUES (?1)", [&log_id])?;
    Ok(log_id)
}

/// Every group's progress, by group and partition row.
pub(super) fn committed(connection: &Connection) -> Result<HashMap<(String, i64), u64>, Failure> {
    let mut query = connection.prepare("SELECT group_name, partition_id, next_offset FROM committed")?;
    let rows = query.query_map([], |r| {
        let next: i64 = r.get(2)?;
        Ok(((r.get(0)?, r.get(1)?), next as u64))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
