//! Numbered migrations, applied once each, in order.

use clickstream_migrations::checksum;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::Failure;

/// One file of `schema/sqlite/`, embedded in the program.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name, `NNNN_name.sql`, counted from 0001 without gaps.
    pub file: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// Brings `connection` to the newest of `migrations`, all in one transaction.
///
/// # Errors
/// [`Failure::Unavailable`] if a newer program wrote the database, [`Failure::Corrupt`] if the text
/// of a migration is not the one that was applied; nothing is changed then.
pub fn migrate(connection: &mut Connection, migrations: &[Migration]) -> Result<(), Failure> {
    let file = connection.path().unwrap_or("the database").to_owned();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
            number INTEGER PRIMARY KEY,
            file TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        )",
    )?;
    let newest: i64 = tx.query_row("SELECT coalesce(max(number), 0) FROM migrations", [], |r| r.get(0))?;
    if newest > migrations.len() as i64 {
        return Err(Failure::Unavailable(format!(
            "{file} has schema {newest}, but this program knows only up to {}; run the newer program that wrote it",
            migrations.len()
        )));
    }
    for (number, migration) in (1i64..).zip(migrations) {
        let sha256 = checksum(migration.sql);
        let applied: Option<String> = tx.query_row("SELECT sha256 FROM migrations WHERE number = ?1", [number], |r| r.get(0)).optional()?;
        match applied {
            Some(applied) if applied == sha256 => {}
            Some(_) => {
                return Err(Failure::Corrupt(format!(
                    "{file} was made with another text of migration {}; a migration never changes once it was applied, add a new one",
                    migration.file
                )));
            }
            None => {
                tx.execute_batch(migration.sql).map_err(|e| match Failure::from(e) {
                    Failure::Unavailable(e) => Failure::Unavailable(format!("migration {}: {e}", migration.file)),
                    other => other,
                })?;
                tx.execute("INSERT INTO migrations (number, file, sha256) VALUES (?1, ?2, ?3)", (number, migration.file, &sha256))?;
            }
        }
    }
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const ONE: Migration = Migration { file: "0001_a.sql", sql: "CREATE TABLE a (x INTEGER);" };
    const TWO: Migration = Migration { file: "0002_b.sql", sql: "CREATE TABLE b (x INTEGER);" };

    fn tables(c: &Connection) -> Vec<String> {
        let mut q = c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name").unwrap();
        q.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn migrations_are_applied_once_and_later_ones_follow() {
        let mut c = Connection::open_in_memory().unwrap();
        migrate(&mut c, &[ONE]).unwrap();
        migrate(&mut c, &[ONE]).unwrap();
        migrate(&mut c, &[ONE, TWO]).unwrap();
        assert_eq!(tables(&c), ["a", "b"]);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut c = Connection::open_in_memory().unwrap();
        migrate(&mut c, &[ONE, TWO]).unwrap();
        let error = migrate(&mut c, &[ONE]).unwrap_err();
        assert!(matches!(&error, Failure::Unavailable(e) if e.contains("newer program")), "{error}");
    }

    #[test]
    fn a_changed_file_is_refused() {
        let mut c = Connection::open_in_memory().unwrap();
        migrate(&mut c, &[ONE]).unwrap();
        let changed = Migration { sql: "CREATE TABLE a (y INTEGER);", ..ONE };
        let error = migrate(&mut c, &[changed]).unwrap_err();
        assert!(matches!(&error, Failure::Corrupt(e) if e.contains("0001_a.sql")), "{error}");
    }

    #[test]
    fn a_failing_migration_leaves_nothing_behind() {
        let mut c = Connection::open_in_memory().unwrap();
        let broken = Migration { file: "0002_b.sql", sql: "CREATE TABLE b (x INTEGER); NONSENSE;" };
        let error = migrate(&mut c, &[ONE, broken]).unwrap_err();
        assert!(error.to_string().contains("0002_b.sql"), "{error}");
        assert!(tables(&c).is_empty());
    }
}
