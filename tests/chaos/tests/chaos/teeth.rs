//! The suite notices: with each step broken on its own, a seed breaks the promise that hangs on it.

use clickstream_chaos::{Options, Promise, Switch, run};

/// Seeds within which a broken step must be noticed.
const WITHIN: u64 = 60;

/// The same of what only some seeds do.
const RARE: u64 = 4 * WITHIN;

/// The first seed that notices, and what.
fn noticed(broken: Switch) -> (u64, Promise) {
    noticed_within(broken, WITHIN)
}

fn noticed_within(broken: Switch, seeds: u64) -> (u64, Promise) {
    for seed in 1..=seeds {
        if let Some(violation) = run(seed, Options { broken: Some(broken) }).violation {
            println!("{broken:?}: seed {seed} {violation}");
            return (seed, violation.promise);
        }
    }
    panic!("{broken:?} is not noticed within {seeds} seeds");
}

#[test]
fn an_answer_before_the_append_is_durable_is_noticed() {
    assert_eq!(noticed(Switch::AnswerBeforeDurable).1, Promise::Told);
}

#[test]
fn a_notification_that_nobody_looks_for_is_noticed() {
    assert_eq!(noticed(Switch::LoseNotifications).1, Promise::Fresh);
}

#[test]
fn an_insert_without_token_and_count_is_noticed() {
    assert_eq!(noticed(Switch::InsertUnchecked).1, Promise::Once);
}

#[test]
fn a_version_shown_before_its_rows_is_noticed() {
    assert_eq!(noticed(Switch::ShowBeforeRows).1, Promise::NoHole);
}

#[test]
fn a_commit_retried_blindly_is_noticed() {
    assert!(matches!(noticed(Switch::BlindRetry).1, Promise::Once | Promise::Watermarks));
}

#[test]
fn a_compaction_without_anti_join_is_noticed() {
    assert_eq!(noticed(Switch::SkipAntiJoin).1, Promise::Once);
}

#[test]
fn a_merge_that_drops_a_row_is_noticed() {
    assert!(matches!(noticed(Switch::MergeDropsRow).1, Promise::Unchanged | Promise::Ends));
}

#[test]
fn a_vacuum_past_what_is_settled_is_noticed() {
    assert!(matches!(noticed_within(Switch::VacuumUnsettled, RARE).1, Promise::Kept | Promise::Ends));
}

#[test]
fn an_erasure_without_a_tombstone_is_noticed() {
    assert!(matches!(noticed(Switch::ForgetTombstone).1, Promise::Forgotten | Promise::NoHole));
}

#[test]
fn an_erasure_that_leaves_raw_objects_is_noticed() {
    assert_eq!(noticed(Switch::EraseSkipsRaw).1, Promise::Forgotten);
}

#[test]
fn a_replay_under_other_ids_is_noticed() {
    assert!(matches!(noticed(Switch::ReplayNewId).1, Promise::Told | Promise::Replayed));
}

#[test]
fn a_reconciliation_that_repairs_nothing_is_noticed() {
    assert!(matches!(noticed(Switch::ReconcileIdle).1, Promise::Fresh | Promise::Stored | Promise::Landed));
}

#[test]
fn a_ledger_of_wrong_numbers_is_noticed() {
    assert_eq!(noticed(Switch::MiscountSettled).1, Promise::Accounted);
}
