//! What is checked, in this order.

mod conditions;
mod dead_letters;
mod files;
mod lake;
mod requests;
mod spill;
mod template;

use futures::future::LocalBoxFuture;

use crate::scene::Scene;

/// A check and its name.
type Check = (&'static str, fn(&Scene) -> LocalBoxFuture<'_, ()>);

macro_rules! checks {
    ($($module:ident :: $check:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($check)), |scene| Box::pin($module::$check(scene)))),*]
    };
}

/// All of them. The last takes Kafka away.
pub const ALL: &[Check] = checks![
    template::every_function_stands_with_what_triggers_it,
    conditions::of_racing_writers_one_wins,
    requests::an_event_through_the_rest_api_counts,
    requests::a_body_that_is_no_text_comes_whole_through_the_rest_api,
    requests::an_event_through_the_function_url_counts,
    requests::a_stranger_is_told_what_would_be_right,
    files::a_file_in_the_inbox_becomes_events,
    files::a_file_that_cannot_be_read_has_a_receipt_that_says_why,
    lake::what_landed_is_compacted_and_settled_and_counts_once,
    dead_letters::an_object_that_load_cannot_read_is_in_its_queue_after_three_tries,
    spill::what_the_log_does_not_take_is_spilled_and_returns,
];
