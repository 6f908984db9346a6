//! What can go wrong with a `SQLite` file, by what the caller can do about it.

use rusqlite::ErrorCode;

/// Why a call on an embedded database failed. Cheap to clone, because one failed transaction
/// answers many callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The same call may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// The disk, or the space granted to the database, is full; nothing was written.
    #[error("the disk is full")]
    Full,
    /// The file's content is damaged; an operator is needed.
    #[error("{0}")]
    Corrupt(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(code, _) => match code.code {
                ErrorCode::DiskFull => Self::Full,
                // Growing the shared memory of the WAL fails this way when no space is left.
                ErrorCode::SystemIoFailure if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(error.to_string()),
                _ => Self::Unavailable(error.to_string()),
            },
            // A column of another type than the one written.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::FromSqlConversionFailure(..) => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl Failure {
    /// `error` of the file system while doing `what`.
    pub fn of_io(what: &str, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull { Self::Full } else { Self::Unavailable(format!("{what}: {error}")) }
    }
}
