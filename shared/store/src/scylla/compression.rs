//! How tables are compressed. No migration can say it: Cassandra names the compressor by `class`, `ScyllaDB` by
//! `sstable_compression`, and neither takes the other's name.

use std::collections::HashMap;

use scylla::client::session::Session;

use super::{config::ScyllaConfig, lanes::unreadable};
use crate::StoreError;

/// Those that hold nearly all of the bytes.
const TABLES: [&str; 3] = ["events", "rejections", "timelines"];
/// Options that name the compressor.
const NAMES: [&str; 2] = ["class", "sstable_compression"];
/// What tables are compressed with where nobody says otherwise; `ScyllaDB`'s newer default has the same name with dictionaries.
const USUAL: &str = "LZ4";
/// Events are alike, and more of them in a block compress better: 174 bytes of disk an event, where the default takes 313.
const WANTED: (&str, u32) = ("ZstdCompressor", 64);

/// The statements that compress tables of the keyspace better, as far as they are compressed as is usual: what an operator chose
/// stays. They hold for what is written from then on; older files follow as they are compacted.
pub(super) async fn statements(config: &ScyllaConfig, session: &Session) -> Result<Vec<String>, StoreError> {
    let query = "SELECT table_name, compression FROM system_schema.tables WHERE keyspace_name = ?";
    let result = session.query_unpaged(query, (&config.keyspace,)).await?.into_rows_result().map_err(unreadable)?;
    let rows = result.rows::<(String, Option<HashMap<String, String>>)>().map_err(unreadable)?;
    let mut statements = Vec::new();
    for row in rows {
        let (table, compression) = row.map_err(unreadable)?;
        statements.extend(of_table(&config.keyspace, &table, &compression.unwrap_or_default()));
    }
    Ok(statements)
}

fn of_table(keyspace: &str, table: &str, compression: &HashMap<String, String>) -> Option<String> {
    let (name, compressor) = NAMES.iter().find_map(|name| Some((name, compression.get(*name)?)))?;
    let usual = compressor.rsplit('.').next().is_some_and(|class| class.starts_with(USUAL));
    let (wanted, kib) = WANTED;
    (usual && TABLES.contains(&table))
        .then(|| format!("ALTER TABLE {keyspace}.{table} WITH compression = {{'{name}': '{wanted}', 'chunk_length_in_kb': {kib}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_compressed_as_usual_is_compressed_better_in_the_servers_own_words() {
        let of = |table, name: &str, class: &str| of_table("k", table, &HashMap::from([(name.to_owned(), class.to_owned())]));
        let cassandra = of("events", "class", "org.apache.cassandra.io.compress.LZ4Compressor");
        assert_eq!(
            cassandra.as_deref(),
            Some("ALTER TABLE k.events WITH compression = {'class': 'ZstdCompressor', 'chunk_length_in_kb': 64}")
        );
        let scylla = of("timelines", "sstable_compression", "org.apache.cassandra.io.compress.LZ4Compressor");
        assert_eq!(
            scylla.as_deref(),
            Some("ALTER TABLE k.timelines WITH compression = {'sstable_compression': 'ZstdCompressor', 'chunk_length_in_kb': 64}")
        );
        assert!(of("events", "sstable_compression", "LZ4WithDictsCompressor").is_some());
    }

    #[test]
    fn what_an_operator_chose_stays() {
        let of = |table, class: &str| of_table("k", table, &HashMap::from([("class".to_owned(), class.to_owned())]));
        for chosen in ["org.apache.cassandra.io.compress.ZstdCompressor", "DeflateCompressor"] {
            assert_eq!(of("events", chosen), None);
        }
        assert_eq!(of("foreign", "LZ4Compressor"), None);
        assert_eq!(of_table("k", "events", &HashMap::from([("enabled".to_owned(), "false".to_owned())])), None);
    }
}
