//! A person's events: which they are, and rows of `fresh` by their places.
//!
//! Ids of persons are only ever asked for, and not written to ClickHouse's log of queries. What is deleted is named by
//! events and places: a mutation's text stays on disk for as long as ClickHouse likes.

use std::collections::BTreeMap;

use bytes::Bytes;
use clickhouse::{Row, query::Query};
use clickstream_event::Micros;
use futures::{Stream, stream};
use serde::Deserialize;
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// Events named by one statement.
const IDS_AT_ONCE: usize = 1_000;
/// Offsets named by one statement.
const OFFSETS_AT_ONCE: usize = 2_000;

/// Which column names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonColumn {
    /// `user_id`.
    User,
    /// `anonymous_id`.
    Anonymous,
}

impl PersonColumn {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Anonymous => "anonymous_id",
        }
    }
}

#[derive(Row, Deserialize)]
struct Id {
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
}

impl Warehouse {
    /// Ids of a person's events that were received or happened at or before `before`, in `events` and `fresh`, whether
    /// reports show them or not.
    pub async fn events_of(&self, site: &str, column: PersonColumn, id: &str, before: Micros) -> Result<Vec<Uuid>, WarehouseError> {
        let of = |table: &str| {
            format!(
                "SELECT event_id FROM {table} WHERE site_id = {{site:String}} AND {} = {{id:String}}
                 AND (toUnixTimestamp64Micro(received_at) <= {{before:Int64}} OR toUnixTimestamp64Micro(original_at) <= {{before:Int64}})",
                column.as_str()
            )
        };
        let sql = format!("SELECT DISTINCT event_id FROM ({} UNION ALL {})", of("events"), of("fresh"));
        let found: Vec<Id> = self.unlogged(&sql).param("site", site).param("id", id).param("before", before.0).fetch_all().await?;
        Ok(found.into_iter().map(|row| row.event_id).collect())
    }

    /// Anonymous ids that stand with `user` in any event, and with no other user.
    pub async fn anonymous_ids_of(&self, site: &str, user: &str) -> Result<Vec<String>, WarehouseError> {
        let sql = "SELECT assumeNotNull(anonymous_id) AS id FROM
            (SELECT user_id, anonymous_id FROM events WHERE site_id = {site:String} AND anonymous_id IS NOT NULL AND user_id IS NOT NULL
             UNION ALL
             SELECT user_id, anonymous_id FROM fresh WHERE site_id = {site:String} AND anonymous_id IS NOT NULL AND user_id IS NOT NULL)
            GROUP BY id HAVING countIf(user_id = {user:String}) > 0 AND countIf(user_id != {user:String}) = 0 ORDER BY id";
        Ok(self.unlogged(sql).param("site", site).param("user", user).fetch_all().await?)
    }

    /// Whether `anonymous` stands with a user other than `user` in any event.
    pub async fn is_of_another(&self, site: &str, anonymous: &str, user: &str) -> Result<bool, WarehouseError> {
        let of = |table: &str| {
            format!(
                "SELECT 1 FROM {table} WHERE site_id = {{site:String}} AND anonymous_id = {{id:String}} AND user_id != {{user:String}} LIMIT 1"
            )
        };
        let sql = format!("SELECT count() FROM ({} UNION ALL {})", of("events"), of("fresh"));
        let found: u64 = self.unlogged(&sql).param("site", site).param("id", anonymous).param("user", user).fetch_one().await?;
        Ok(found > 0)
    }

    /// A person's visible events, a JSON object a line, as they are read.
    pub fn export_person(
        &self,
        site: &str,
        column: PersonColumn,
        id: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, WarehouseError>> + Send + use<>, WarehouseError> {
        let sql = format!("SELECT * FROM clicks WHERE site_id = {{site:String}} AND {} = {{id:String}}", column.as_str());
        let cursor =
            self.large_query(&sql).with_setting("log_queries", "0").param("site", site).param("id", id).fetch_bytes("JSONEachRow")?;
        Ok(stream::try_unfold(cursor, |mut cursor| async move { Ok(cursor.next().await?.map(|bytes| (bytes, cursor))) }))
    }

    /// How many of these events, by site and id, are in `events` or `fresh`.
    pub async fn known(&self, events: &[(String, Uuid)]) -> Result<u64, WarehouseError> {
        let mut by_site: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (site, id) in events {
            by_site.entry(site).or_default().push(format!("'{id}'"));
        }
        let mut known = 0;
        for (site, ids) in by_site {
            for some in ids.chunks(IDS_AT_ONCE) {
                let list = some.join(", ");
                let of = |table: &str| format!("SELECT event_id FROM {table} WHERE site_id = {{site:String}} AND event_id IN ({list})");
                let sql = format!("SELECT uniqExact(event_id) FROM ({} UNION ALL {})", of("events"), of("fresh"));
                known += self.large_query(&sql).param("site", site).fetch_one::<u64>().await?;
            }
        }
        Ok(known)
    }

    /// Removes rows of `fresh` by their places in the log; they are gone when it returns.
    pub async fn erase_places(&self, log_id: &str, partition: u32, offsets: &[u64]) -> Result<(), WarehouseError> {
        for some in offsets.chunks(OFFSETS_AT_ONCE) {
            let list = some.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            let sql = format!(
                "ALTER TABLE fresh DELETE WHERE log_id = {{log:String}} AND log_partition = {partition} AND log_offset IN ({list})"
            );
            self.query(&sql).param("log", log_id).with_setting("mutations_sync", "1").execute().await?;
        }
        Ok(())
    }

    fn unlogged(&self, sql: &str) -> Query {
        self.large_query(sql).with_setting("log_queries", "0")
    }
}
