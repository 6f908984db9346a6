//! Every statement that reads or writes events, prepared once. They are the same on `ScyllaDB` and Cassandra.

use futures::future::try_join_all;
use scylla::{
    client::{execution_profile::ExecutionProfileHandle, session::Session},
    statement::prepared::PreparedStatement,
};

use super::session::Profiles;
use crate::StoreError;

macro_rules! statements {
    ($($profile:ident $name:ident = $text:literal),+ $(,)?) => {
        /// Prepared statements; the driver knows the partition of each, and that each may be repeated.
        pub(super) struct Statements { $(pub $name: PreparedStatement),+ }

        const TEXTS: &[(&str, bool)] = &[$(($text, statements!(@ $profile))),+];

        impl Statements {
            /// Prepares all of them for the tables of `keyspace`.
            pub(super) async fn prepare(session: &Session, keyspace: &str, profiles: &Profiles) -> Result<Self, StoreError> {
                let (writes, reads) = (profiles.writes.clone().into_handle(), profiles.reads.clone().into_handle());
                let prepared = TEXTS.iter().map(|(text, is_write)| {
                    prepare(session, text.replace("$.", &format!("{keyspace}.")), if *is_write { &writes } else { &reads })
                });
                let mut prepared = try_join_all(prepared).await?.into_iter();
                let mut next = || prepared.next().ok_or_else(|| StoreError::Corrupt("a statement is missing".to_owned()));
                Ok(Self { $($name: next()?),+ })
            }
        }
    };
    (@ write) => { true };
    (@ read) => { false };
}

statements! {
    write insert_event = "INSERT INTO $.events (event_id, site_id, received_at, log_partition, log_offset, event)
        VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    read first_copy = "SELECT log_partition, log_offset, event FROM $.events WHERE event_id = ? AND site_id = ? LIMIT 1",
    // The first row of each site, by the clustering order.
    read first_copies = "SELECT received_at, log_partition, log_offset, event FROM $.events WHERE event_id = ?
        GROUP BY event_id, site_id",

    // Every copy, of whomever: what a person's erasure looks through.
    read copies = "SELECT received_at, log_partition, log_offset, event FROM $.events WHERE event_id = ? AND site_id = ?",
    write delete_event = "DELETE FROM $.events USING TIMESTAMP ?
        WHERE event_id = ? AND site_id = ? AND received_at = ? AND log_partition = ? AND log_offset = ?",

    write insert_timeline = "INSERT INTO $.timelines (site_id, kind, person, month, original_at, event_id)
        VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    read timeline = "SELECT original_at, event_id FROM $.timelines
        WHERE site_id = ? AND kind = ? AND person = ? AND month = ? AND (original_at, event_id) < (?, ?) LIMIT ?",
    write delete_timeline = "DELETE FROM $.timelines USING TIMESTAMP ?
        WHERE site_id = ? AND kind = ? AND person = ? AND month = ? AND original_at = ? AND event_id = ?",
    write insert_month = "INSERT INTO $.timeline_months (site_id, month) VALUES (?, ?) USING TIMESTAMP ? AND TTL ?",
    read months = "SELECT month FROM $.timeline_months WHERE site_id = ? AND month <= ?",

    write insert_erased = "INSERT INTO $.erased (event_id, site_id, erased_at) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    read erased = "SELECT site_id, erased_at FROM $.erased WHERE event_id = ?",

    write insert_rejection = "INSERT INTO $.rejections (log_partition, log_offset, received_at, rejection, packed)
        VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    read rejection = "SELECT rejection, packed FROM $.rejections WHERE log_partition = ? AND log_offset = ? AND received_at = ?",
    write delete_rejection = "DELETE FROM $.rejections USING TIMESTAMP ? WHERE log_partition = ? AND log_offset = ? AND received_at = ?",
    write insert_by_age = "INSERT INTO $.rejections_by_age (scope, bucket, received_at, log_partition, log_offset)
        VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    read by_age = "SELECT received_at, log_partition, log_offset FROM $.rejections_by_age WHERE scope = ? AND bucket = ? LIMIT ?",
    write delete_by_age = "DELETE FROM $.rejections_by_age USING TIMESTAMP ?
        WHERE scope = ? AND bucket = ? AND received_at = ? AND log_partition = ? AND log_offset = ?",
    read all_of_bucket = "SELECT received_at, log_partition, log_offset FROM $.rejections_by_age WHERE scope = ? AND bucket = ?",
    write insert_bucket = "INSERT INTO $.rejection_buckets (scope, bucket) VALUES (?, ?) USING TIMESTAMP ? AND TTL ?",
    read buckets = "SELECT bucket FROM $.rejection_buckets WHERE scope = ? AND bucket < ? LIMIT ?",
    write insert_by_event = "INSERT INTO $.rejections_by_event (event_id, site_id, received_at, log_partition, log_offset)
        VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?",
    write delete_by_event = "DELETE FROM $.rejections_by_event USING TIMESTAMP ?
        WHERE event_id = ? AND site_id = ? AND received_at = ? AND log_partition = ? AND log_offset = ?",
    read by_event_of_site = "SELECT received_at, log_partition, log_offset FROM $.rejections_by_event
        WHERE event_id = ? AND site_id = ? LIMIT 1",
    read by_event = "SELECT received_at, log_partition, log_offset FROM $.rejections_by_event WHERE event_id = ?
        GROUP BY event_id, site_id",
}

async fn prepare(session: &Session, text: String, profile: &ExecutionProfileHandle) -> Result<PreparedStatement, StoreError> {
    let mut statement = session.prepare(text).await?;
    statement.set_is_idempotent(true);
    statement.set_execution_profile_handle(Some(profile.clone()));
    Ok(statement)
}
