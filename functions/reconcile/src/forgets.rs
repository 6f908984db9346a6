//! Whose events are erased: what is copied from the log or from raw objects must not bring them back.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::{Event, Rejection};

/// The erasures as they stood at one moment.
pub trait Erases: Send + Sync {
    /// True if the event is erased.
    fn erases(&self, event: &Event) -> bool;
    /// True if the rejected record is.
    fn erases_rejection(&self, rejection: &Rejection) -> bool;
    /// What stands in a raw object in place of an erased event.
    fn mark(&self) -> &[u8] {
        b"erased"
    }
}

/// Erasures that cannot be read.
pub type ForgetsError = Box<dyn std::error::Error + Send + Sync>;

/// Knows whose events are erased.
#[async_trait]
pub trait Forgets: Send + Sync {
    /// The erasures as they stand now.
    async fn current(&self) -> Result<Arc<dyn Erases>, ForgetsError>;
}

/// Where nobody is ever erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl Erases for Nobody {
    fn erases(&self, _: &Event) -> bool {
        false
    }

    fn erases_rejection(&self, _: &Rejection) -> bool {
        false
    }
}

#[async_trait]
impl Forgets for Nobody {
    async fn current(&self) -> Result<Arc<dyn Erases>, ForgetsError> {
        Ok(Arc::new(*self))
    }
}
