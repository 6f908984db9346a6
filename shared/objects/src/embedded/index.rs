//! Which objects stand: rows in SQLite beside the files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use clickstream_sqlite::{Database, Failure, Folder, Migration, Tuning};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    files::Files,
    outbox::{announce, announced},
};
use crate::{Condition, ObjectError};

const MIGRATIONS: [Migration; 1] =
    [Migration { file: "0001_objects.sql", sql: include_str!("../../../../schema/sqlite/objects/0001_objects.sql") }];
const TUNING: Tuning = Tuning { page_bytes: 4_096, writer_cache_bytes: 8 << 20, reader_cache_bytes: 1 << 20, max_database_bytes: None };

impl From<Failure> for ObjectError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            Failure::Unavailable(why) => Self::Unavailable(why),
            Failure::Corrupt(why) => Self::Refused(format!("the object store is damaged: {why}")),
        }
    }
}

/// A standing object.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub file: String,
    pub size: u64,
    pub etag: String,
    pub modified_at: i64,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// A multipart upload that is not complete.
pub struct Upload {
    pub key: String,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// Bytes that are written and synced, to stand under a key.
pub struct Written {
    pub file: PathBuf,
    pub size: u64,
    pub etag: String,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// The index and the files.
pub struct Index {
    connection: Mutex<Connection>,
    pub files: Files,
    _folder: Folder,
}

/// Now, µs since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get(0)?,
        file: row.get(1)?,
        size: row.get::<_, i64>(2)?.cast_unsigned(),
        etag: row.get(3)?,
        modified_at: row.get(4)?,
        content_type: row.get(5)?,
        metadata: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default(),
    })
}

const COLUMNS: &str = "key, file, size, etag, modified_at, content_type, metadata";

impl Index {
    /// Opens or makes the store in `folder`.
    pub fn open(folder: &Path, bucket: &str) -> Result<Self, ObjectError> {
        let claimed = Folder::claim(folder)?;
        let (_, connection) = Database::open(&claimed, "objects.db", &MIGRATIONS, TUNING)?;
        let files = Files::open(folder, bucket).map_err(|e| Failure::of_io("the object store's folder", &e))?;
        connection.execute("DELETE FROM uploads", []).map_err(Failure::from)?;
        Ok(Self { connection: Mutex::new(connection), files, _folder: claimed })
    }

    /// The one connection; every use of it is short.
    pub fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object under `key`.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM objects WHERE key = ?1");
        Ok(self.connection().prepare_cached(&sql)?.query_row([key], entry).optional()?)
    }

    /// Objects under `prefix` whose key comes after `after`, in the order of their bytes.
    pub fn list(&self, prefix: &str, after: &str, most: usize) -> Result<Vec<Entry>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM objects WHERE key >= ?1 AND key > ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4");
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![prefix, after, past(prefix), most as i64], entry)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes `written` the object under `key` if `condition` holds, with its notification; durable when it returns.
    pub fn put(&self, key: &str, condition: &Condition, written: Written) -> Result<Entry, ObjectError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(Failure::from)?;
        let standing: Option<(String, String)> = transaction
            .query_row("SELECT file, etag FROM objects WHERE key = ?1", [key], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()
            .map_err(Failure::from)?;
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => standing.is_none(),
            Condition::Matches(etag) => standing.as_ref().is_some_and(|(_, standing)| standing == etag),
        };
        if !holds {
            drop(transaction);
            drop(connection);
            let _ = std::fs::remove_file(&written.file);
            return Err(ObjectError::PreconditionFailed(key.to_owned()));
        }
        let file = self.files.place(&written.file, key).map_err(|e| Failure::of_io("an object", &e))?;
        let entry = Entry {
            key: key.to_owned(),
            file,
            size: written.size,
            etag: written.etag,
            modified_at: now(),
            content_type: written.content_type,
            metadata: written.metadata,
        };
        let stored = store(&transaction, &entry).and_then(|()| transaction.commit());
        if let Err(error) = stored {
            self.files.remove(&entry.file);
            return Err(Failure::from(error).into());
        }
        drop(connection);
        if let Some((old, _)) = standing {
            self.files.remove(&old);
        }
        Ok(entry)
    }

    /// Removes the object under `key`, if one stands.
    pub fn delete(&self, key: &str) -> Result<(), Failure> {
        let file: Option<String> =
            self.connection().query_row("DELETE FROM objects WHERE key = ?1 RETURNING file", [key], |r| r.get(0)).optional()?;
        if let Some(file) = file {
            self.files.remove(&file);
        }
        Ok(())
    }

    /// Begins a multipart upload.
    pub fn begin_upload(&self, id: &str, upload: &Upload) -> Result<(), Failure> {
        let metadata = serde_json::to_string(&upload.metadata).unwrap_or_default();
        let sql = "INSERT INTO uploads (upload_id, key, content_type, metadata) VALUES (?1, ?2, ?3, ?4)";
        self.connection().execute(sql, params![id, upload.key, upload.content_type, metadata])?;
        Ok(())
    }

    /// A multipart upload that was begun since the start.
    pub fn upload(&self, id: &str) -> Result<Option<Upload>, Failure> {
        let read = |r: &Row<'_>| {
            let metadata = serde_json::from_str(&r.get::<_, String>(2)?).unwrap_or_default();
            Ok(Upload { key: r.get(0)?, content_type: r.get(1)?, metadata })
        };
        let sql = "SELECT key, content_type, metadata FROM uploads WHERE upload_id = ?1";
        Ok(self.connection().query_row(sql, [id], read).optional()?)
    }

    /// Forgets a multipart upload.
    pub fn end_upload(&self, id: &str) -> Result<(), Failure> {
        self.connection().execute("DELETE FROM uploads WHERE upload_id = ?1", [id])?;
        Ok(())
    }
}

fn store(transaction: &rusqlite::Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let metadata = serde_json::to_string(&entry.metadata).unwrap_or_default();
    let size = entry.size.cast_signed();
    transaction.execute(
        "INSERT OR REPLACE INTO objects (key, file, size, etag, modified_at, content_type, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![entry.key, entry.file, size, entry.etag, entry.modified_at, entry.content_type, metadata],
    )?;
    if announced(&entry.key) {
        announce(transaction, &entry.key, &entry.etag, entry.size)?;
    }
    Ok(())
}

/// The least text that comes after every text beginning with `prefix`; none if there is none.
pub fn past(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (last as u32 + 1..=char::MAX as u32).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::past;

    #[test]
    fn what_comes_past_a_prefix() {
        assert_eq!(past("raw/").as_deref(), Some("raw0"));
        assert_eq!(past("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(past(""), None);
    }
}
