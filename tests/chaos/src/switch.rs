//! Switches that break one step each, so that the suite can show that it notices.

/// A step that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The log answers before records are durable: a kill loses them.
    AnswerBeforeDurable,
    /// Notifications are lost, and nobody looks for what they announced.
    LoseNotifications,
    /// ClickHouse takes an insert again that it has had, and nobody counts a load's rows.
    InsertUnchecked,
    /// A row of `commits` shows a version whose rows come later.
    ShowBeforeRows,
    /// A Delta commit that comes second is written as the next version, uncomputed.
    BlindRetry,
    /// Compaction does not see what the lake's files hold.
    SkipAntiJoin,
    /// A merge writes a file without one of its rows.
    MergeDropsRow,
    /// Vacuum is told that every version is settled.
    VacuumUnsettled,
    /// An erasure goes through every store, and leaves no tombstone.
    ForgetTombstone,
    /// An erasure does not look through raw objects.
    EraseSkipsRaw,
    /// A replay gives events other ids.
    ReplayNewId,
    /// Reconcile says what it would repair, and repairs nothing.
    ReconcileIdle,
    /// The ledger is computed from wrong numbers.
    MiscountSettled,
}

impl Switch {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::AnswerBeforeDurable,
        Self::LoseNotifications,
        Self::InsertUnchecked,
        Self::ShowBeforeRows,
        Self::BlindRetry,
        Self::SkipAntiJoin,
        Self::MergeDropsRow,
        Self::VacuumUnsettled,
        Self::ForgetTombstone,
        Self::EraseSkipsRaw,
        Self::ReplayNewId,
        Self::ReconcileIdle,
        Self::MiscountSettled,
    ];
}
