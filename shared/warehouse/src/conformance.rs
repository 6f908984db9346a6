//! What every ClickHouse must do for us, as checks that run against any server: in process or not.
//!
//! [`all`] runs every check against a URL without a database; each check makes databases of its own and drops them.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "checks fail by panicking")]

mod client;
mod expiring;
mod ledger;
mod loading;
mod marts;
mod rebuilding;
mod sample;
mod settling;

use std::{future::Future, pin::Pin};

use uuid::Uuid;

pub use client::*;
pub use expiring::*;
pub use ledger::*;
pub use loading::*;
pub use marts::*;
pub use rebuilding::*;
pub use sample::{event, lake_file, object};
pub use settling::*;

use crate::{Day, Report, ReportQuery, Table, Warehouse};

/// One check on the server at a URL.
pub type Check = fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        /// Every check with its name.
        pub const CHECKS: &[(&str, Check)] = &[$((stringify!($name), |url| Box::pin($name(url)))),+];
    };
}
checks!(
    migrations_may_be_repeated,
    an_object_inserted_again_counts_once,
    a_repeat_in_another_object_counts_once_and_the_first_received_stays,
    dead_letters_are_left_out,
    settled_events_replace_fresh_ones_at_once,
    a_repeat_of_a_settled_event_is_hidden,
    versions_are_settled_in_order,
    a_load_that_is_not_whole_is_refused,
    an_abandoned_load_is_never_seen_and_deleted,
    settled_rows_leave_fresh,
    a_day_is_brought_anew_at_once,
    marts_are_what_the_events_say,
    rebuilding_marts_twice_changes_nothing,
    older_numbers_of_a_rebuild_that_died_do_not_stay,
    a_rebuild_that_was_taken_over_swaps_nothing,
    closed_days_are_never_rebuilt,
    expired_days_leave_events_and_stay_in_marts_and_reports,
    a_shadow_is_exchanged_without_a_hole,
    the_marts_of_a_restoration_that_died_follow,
    a_database_that_lost_everything_is_filled_from_a_shadow,
    rows_have_the_same_hash_here_and_there,
    the_ledger_is_kept_and_says_how_far_steps_came_within_an_hour,
    what_is_not_loaded_is_found,
    sessions_end_after_thirty_minutes,
    reports_have_their_columns,
    reports_take_values_not_sql,
    an_export_has_every_event,
    the_client_inserts_and_selects_typed_rows,
    errors_have_clickhouse_codes,
    inserts_and_selects_run_side_by_side,
);

/// Runs every check, one after the other.
pub async fn all(url: &str) {
    for (name, check) in CHECKS {
        println!("{name}");
        check(url.to_owned()).await;
    }
}

/// A migrated database of its own on the server at `url`.
pub async fn database(url: &str) -> Warehouse {
    let warehouse = Warehouse::from_url(&format!("{url}/t_{}", Uuid::new_v4().simple())).unwrap();
    warehouse.migrate().await.unwrap();
    warehouse
}

/// Removes what [`database`] made.
pub async fn drop_database(warehouse: &Warehouse) {
    warehouse.query(&format!("DROP DATABASE `{}` SYNC", warehouse.database())).execute().await.unwrap();
}

/// The day on which samples lie.
pub fn day() -> Day {
    "2026-03-10".parse().unwrap()
}

async fn count(warehouse: &Warehouse, table: &str) -> u64 {
    warehouse.query(&format!("SELECT count() FROM {table}")).fetch_one().await.unwrap()
}

async fn report(warehouse: &Warehouse, report: Report, site: &str) -> Table {
    warehouse.report(&ReportQuery { report, site: site.to_owned(), from: day(), to: day(), path: None }).await.unwrap()
}
