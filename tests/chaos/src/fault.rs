//! What can go wrong, and where.

use std::collections::BTreeMap;

macro_rules! named {
    ($(#[$of:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$doc])* $variant),+ }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As summaries name it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

named! {
    /// Where a function leaves its process.
    Boundary {
        /// A client's request on its way in, and the answer on its way back.
        Request = "request",
        /// An append to the log.
        LogAppend = "log append",
        /// A batch handed out to a consumer group.
        LogRead = "log read",
        /// A consumer group's offset.
        OffsetCommit = "offset commit",
        /// Events into the event store.
        StoreWrite = "store write",
        /// A person's events, or rejections, out of the event store.
        StoreErase = "store erase",
        /// An object written.
        ObjectPut = "object PUT",
        /// An object read.
        ObjectGet = "object GET",
        /// Objects listed.
        ObjectList = "object list",
        /// An object removed.
        ObjectDelete = "object DELETE",
        /// A raw object written anew without erased rows.
        RawRewrite = "raw object rewritten",
        /// A tombstone, or the mark that there is a new one.
        Tombstone = "tombstone PUT",
        /// How far an erasure is, or its receipt.
        ErasureState = "erasure's state PUT",
        /// "An object was written", from the bucket to load.
        Notification = "notification",
        /// The end of a notification.
        Acknowledge = "acknowledge",
        /// A Parquet file of the lake written.
        LakeFile = "lake file",
        /// A file of the lake, or of its log, removed.
        LakeDelete = "lake file DELETE",
        /// The lake's log or a file of it read.
        LakeRead = "lake read",
        /// One version of the Delta table.
        DeltaCommit = "Delta commit",
        /// A question to ClickHouse.
        Query = "query",
        /// A raw object into `fresh`.
        FreshInsert = "insert into fresh",
        /// A lake file into `events`.
        SettledInsert = "insert into events",
        /// Rows out of `events` and `fresh`.
        AlterDelete = "ALTER DELETE",
        /// A lake file into the table beside `events`.
        ShadowInsert = "insert into shadow",
        /// That table in place of `events`.
        Exchange = "EXCHANGE TABLES",
        /// A row of the ledger, or of what was repaired.
        LedgerRow = "ledger row",
        /// A row of `commits`.
        CommitsRow = "commits row",
        /// A day of the marts replaced.
        MartSwap = "REPLACE PARTITION",
        /// Between two runs of a function.
        Idle = "between runs",
    }
}

named! {
    /// What goes wrong there.
    Fault {
        /// Nothing happens, and the caller is told so.
        NotDone = "not done",
        /// It happens, and the caller is told that it did not.
        Unanswered = "unanswered",
        /// Part of it happens, and the caller is told that it did not.
        Part = "in part",
        /// It happens twice.
        Twice = "twice",
        /// The caller is told that it did not happen, and then it does.
        Late = "late",
        /// It happens, and the caller is told that another was faster.
        Mistaken = "mistaken",
        /// It never comes.
        Lost = "lost",
        /// What a member held goes to another while it works on it.
        Moved = "moved",
        /// The caller stands still for long.
        Paused = "paused",
        /// The caller is killed before it happens.
        Killed = "killed",
        /// The caller is killed when it has happened.
        KilledAfter = "killed after",
    }
}

/// How often what was asked for, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls per boundary.
    pub calls: BTreeMap<Boundary, u64>,
    /// Faults per boundary.
    pub faults: BTreeMap<(Boundary, Fault), u64>,
}

impl Tally {
    pub(crate) fn call(&mut self, boundary: Boundary) {
        *self.calls.entry(boundary).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, boundary: Boundary, fault: Fault) {
        *self.faults.entry((boundary, fault)).or_default() += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (boundary, count) in &other.calls {
            *self.calls.entry(*boundary).or_default() += count;
        }
        for (what, count) in &other.faults {
            *self.faults.entry(*what).or_default() += count;
        }
    }

    /// Faults in all.
    pub fn injected(&self) -> u64 {
        self.faults.values().sum()
    }

    /// One line for each boundary.
    pub fn lines(&self) -> Vec<String> {
        let line = |boundary: &Boundary| {
            let of = self.faults.iter().filter(|((b, _), _)| b == boundary);
            let faults: Vec<_> = of.map(|((_, fault), count)| format!("{} {count}", fault.as_str())).collect();
            let calls = self.calls.get(boundary).copied().unwrap_or(0);
            (calls > 0 || !faults.is_empty()).then(|| format!("{:<20} {calls:>8} calls   {}", boundary.as_str(), faults.join(", ")))
        };
        Boundary::ALL.iter().filter_map(line).collect()
    }
}
