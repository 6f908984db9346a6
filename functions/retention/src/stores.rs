//! What rules act on.

use std::sync::Arc;

use clickstream_lake::Lake;
use clickstream_log::SharedLog;
use clickstream_objects::SharedObjects;
use clickstream_store::SharedStore;
use clickstream_warehouse::Warehouse;

/// Rejected records are kept this long, on their topic and in the event store.
pub const REJECTED_DAYS: u32 = 30;

/// The stores.
pub struct Stores {
    pub(crate) objects: SharedObjects,
    pub(crate) lake: Arc<Lake>,
    pub(crate) warehouse: Warehouse,
    pub(crate) topics: Option<Topics>,
    pub(crate) events: Option<KeptEvents>,
}

/// A log whose topics do not end by a clock of their own, as Kafka's do.
pub struct Topics {
    /// The log.
    pub log: SharedLog,
    /// Its topics.
    pub kept: Vec<KeptTopic>,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct KeptTopic {
    /// Its name.
    pub topic: &'static str,
    /// Consumer groups that have to have done a record before it goes.
    pub groups: Vec<&'static str>,
    /// Days that records are kept.
    pub days: u32,
}

/// An event store, and how long it keeps events.
pub struct KeptEvents {
    /// The store.
    pub store: SharedStore,
    /// Days, by `received_at`.
    pub days: u32,
}

impl Stores {
    /// Bucket, lake and ClickHouse; log and event store end what they hold by themselves.
    pub fn new(objects: SharedObjects, lake: Arc<Lake>, warehouse: Warehouse) -> Self {
        Self { objects, lake, warehouse, topics: None, events: None }
    }

    /// Topics of an embedded log too.
    #[must_use]
    pub fn with_topics(self, topics: Option<Topics>) -> Self {
        Self { topics, ..self }
    }

    /// An event store too.
    #[must_use]
    pub fn with_events(self, events: KeptEvents) -> Self {
        Self { events: Some(events), ..self }
    }
}
