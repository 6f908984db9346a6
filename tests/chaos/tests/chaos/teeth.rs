//! The suite notices: with each step broken on its own, a seed breaks the promise that hangs on it.

use clickstream_chaos::{Options, Promise, Switch, run};

/// Seeds within which a broken step must be noticed.
const WITHIN: u64 = 60;

/// The first seed that notices, and what.
fn noticed(broken: Switch) -> (u64, Promise) {
    for seed in 1..=WITHIN {
        if let Some(violation) = run(seed, Options { broken: Some(broken) }).violation {
            println!("{broken:?}: seed {seed} {violation}");
            return (seed, violation.promise);
        }
    }
    panic!("{broken:?} is not noticed within {WITHIN} seeds");
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
