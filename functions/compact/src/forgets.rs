//! Rows of people whose events are erased: dropped before they reach the lake.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::Micros;

/// Whose event a row is, and when it was.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The site.
    pub site_id: &'a str,
    /// The user, if named.
    pub user_id: Option<&'a str>,
    /// The anonymous id, if there is one.
    pub anonymous_id: Option<&'a str>,
    /// The client's time as sent.
    pub original_at: Micros,
    /// When it was taken.
    pub received_at: Micros,
}

/// The erasures as they stood at one moment.
pub trait Forgotten: Send + Sync {
    /// True if anybody of the site is erased; only then are the site's rows asked for one by one.
    fn concerns(&self, site_id: &str) -> bool;
    /// True if the row is to be dropped.
    fn drops(&self, who: &Who<'_>) -> bool;
}

/// Erasures that cannot be read.
pub type ForgetsError = Box<dyn std::error::Error + Send + Sync>;

/// Knows whose events are erased.
///
/// Asked once per try of a commit, after the lake's version was read: whoever erases writes the erasure first and then
/// a version of the lake, so either this finds the erasure, or the commit loses and is computed anew, or the rows
/// stand in the lake before they are erased there.
#[async_trait]
pub trait Forgets: Send + Sync {
    /// The erasures as they stand now. An error ends the compaction: no erased row may come back.
    async fn current(&self) -> Result<Arc<dyn Forgotten>, ForgetsError>;
}

/// Where nobody is ever erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl Forgotten for Nobody {
    fn concerns(&self, _: &str) -> bool {
        false
    }

    fn drops(&self, _: &Who<'_>) -> bool {
        false
    }
}

#[async_trait]
impl Forgets for Nobody {
    async fn current(&self) -> Result<Arc<dyn Forgotten>, ForgetsError> {
        Ok(Arc::new(*self))
    }
}
