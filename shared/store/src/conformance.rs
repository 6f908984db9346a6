//! What every event store must do, as checks that any adapter's tests can run.
//!
//! A [`Subject`] hands out the store under test; [`all`] runs every check against it, each on sites
//! and ids of its own, so that a shared server may be the subject. Checks run one after another.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "checks fail by panicking")]

mod erasing;
mod events;
mod forgetting;
mod rejected;
mod sample;
mod timelines;

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

pub use erasing::*;
pub use events::*;
pub use forgetting::*;
pub use rejected::*;
pub use sample::{event, rejection};
pub use timelines::*;

use crate::{Retention, SharedStore};

/// The store under test.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// A handle to the store.
    async fn store(&self) -> SharedStore;

    /// A handle that was opened after all others were closed, on the same data.
    async fn reopen(&self) -> SharedStore;

    /// If what is put ends by itself: a handle on the same data, what is put through it is kept for `retention`. The other
    /// handles keep for [`Retention::LONGEST_DAYS`], because samples are old. None if the store forgets when it is told to.
    async fn keeping(&self, retention: Retention) -> Option<SharedStore> {
        let _ = retention;
        None
    }
}

/// One check.
pub type Check = fn(Arc<dyn Subject>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        /// Every check with its name.
        pub const CHECKS: &[(&str, Check)] = &[$((stringify!($name), |s| Box::pin($name(s)))),+];
    };
}

checks! {
    an_event_is_found_by_its_id_with_every_field,
    an_id_never_seen_is_not_found,
    the_same_id_on_two_sites_is_two_events,
    putting_an_event_again_changes_nothing,
    every_copy_is_known_by_its_place,
    the_first_received_copy_stays_whatever_order_copies_come_in,
    a_copy_received_at_the_same_moment_gives_way_by_partition_and_offset,
    a_put_of_many_events_with_repeats_counts_each_once,
    puts_at_the_same_time_lose_nothing,
    what_was_put_is_there_after_reopening,
    a_timeline_is_newest_first_and_of_one_person_only,
    a_user_and_an_anonymous_id_of_the_same_text_are_two_persons,
    events_at_the_same_moment_are_ordered_by_id_and_pages_meet_without_gap,
    a_replaced_copy_leaves_the_timelines_it_stood_in,
    a_rejection_is_found_by_its_id_and_a_kept_event_goes_before_it,
    rejections_are_listed_newest_first_and_by_site,
    putting_a_rejection_again_changes_nothing,
    events_received_before_a_moment_are_forgotten_and_no_others,
    rejections_are_forgotten_by_a_moment_of_their_own,
    a_forgotten_event_can_be_put_again,
    a_persons_events_up_to_a_moment_are_erased_and_later_ones_stay,
    erasing_a_person_leaves_everybody_else,
    copies_are_erased_each_by_its_own_time,
    an_erased_event_is_known_as_erased_until_rejections_are_forgotten,
    rejections_are_erased_by_what_they_hold,
}

/// Runs every check against `subject` and panics with the names of all that failed.
///
/// # Panics
/// If a check fails.
pub async fn all(subject: Arc<dyn Subject>) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        if tokio::spawn(check(Arc::clone(&subject))).await.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{} of {} checks failed: {failed:#?}", failed.len(), CHECKS.len());
}
