//! What an invocation asks for: a compaction and merges after it, or a vacuum.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_lake::{Lake, Vacuumed};
use serde::{Deserialize, Serialize};

use crate::{Compact, CompactError, CompactReport, CompactRequest, LakeSettings, Merge, MergeReport, VacuumRequest};

/// An invocation begins nothing more after this long; a function has 15 minutes.
const LONGEST: Duration = Duration::from_mins(10);

/// The payload of an invocation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Invocation {
    /// Only these partitions; all of them if none are given.
    pub partitions: Option<Vec<u32>>,
    /// Whether small files are merged afterwards; by default where all partitions are compacted, so that shards which
    /// run side by side do not all do it.
    pub merge: Option<bool>,
    /// A vacuum, in place of a compaction.
    pub vacuum: Option<VacuumRequest>,
}

impl Invocation {
    /// The vacuum that is asked for, if it is one.
    pub fn vacuum(&self) -> Result<Option<&VacuumRequest>, CompactError> {
        if self.vacuum.is_some() && (self.partitions.is_some() || self.merge.is_some()) {
            return Err(CompactError::Request("vacuum goes alone, without partitions and merge".to_owned()));
        }
        Ok(self.vacuum.as_ref())
    }
}

/// What an invocation did.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Done {
    /// A compaction.
    Compacted {
        /// What it appended.
        #[serde(flatten)]
        compact: CompactReport,
        /// What was merged afterwards.
        #[serde(skip_serializing_if = "Option::is_none")]
        merge: Option<MergeReport>,
    },
    /// A vacuum.
    Vacuumed(Vacuumed),
}

/// compact, merge and vacuum on one lake.
pub struct Maintenance {
    lake: Arc<Lake>,
    /// The appending part.
    pub compact: Compact,
    /// The merging part.
    pub merge: Merge,
    settings: LakeSettings,
}

impl Maintenance {
    /// Compacts with `compact`, and merges files of its `lake` within `settings`.
    pub fn new(lake: Arc<Lake>, compact: Compact, settings: LakeSettings) -> Self {
        Self { compact, merge: Merge::new(Arc::clone(&lake), settings), lake, settings }
    }

    /// Removes what the lake no longer needs.
    pub async fn vacuum(&self, request: &VacuumRequest) -> Result<Vacuumed, CompactError> {
        request.run(&self.lake, &self.settings).await
    }

    /// Does what was asked for.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Done, CompactError> {
        self.invoke_within(invocation, LONGEST).await
    }

    /// The same, and nothing more is begun after `longest`; the report says what is left.
    pub async fn invoke_within(&self, invocation: Invocation, longest: Duration) -> Result<Done, CompactError> {
        let began = Instant::now();
        if let Some(vacuum) = invocation.vacuum()? {
            return Ok(Done::Vacuumed(self.vacuum(vacuum).await?));
        }
        let Invocation { partitions, merge, .. } = invocation;
        let merges = merge.unwrap_or(partitions.is_none());
        let compact = self.compact.run_within(CompactRequest { partitions }, longest).await?;
        let merge = if merges { Some(self.merge.run_within(longest.saturating_sub(began.elapsed())).await?) } else { None };
        Ok(Done::Compacted { compact, merge })
    }
}
