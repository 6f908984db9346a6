//! The work: one step after the other until nothing is left.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_erasure::{Erased, ErasureError, Tombstones};
use clickstream_lake::Lake;
use clickstream_log::SharedLog;
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use clickstream_store::SharedStore;
use uuid::Uuid;

use crate::{
    EraseError, EraseFrom, EraseRequest, Erasure, Receipt, SignedReceipt, Step,
    state::{self, receipt_key},
};

/// Settles lake versions in ClickHouse now; where nobody does, an erasure waits for who does it by the clock.
#[async_trait]
pub trait Settles: Send + Sync + 'static {
    /// Settles every version there is; says what went wrong.
    async fn settle(&self) -> Result<(), String>;
}

/// How long an erasure waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For the event store to have what the log holds, so that linked ids are known.
    pub stored_within: Duration,
    /// From when the tombstones stand and the lake's version is settled until every store is gone through once more, for
    /// what was under way.
    pub again_after: Duration,
    /// For ClickHouse to settle the lake's version.
    pub settled_within: Duration,
    /// Days that topics keep records: events, rejections.
    pub topic_days: (u32, u32),
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            stored_within: Duration::from_secs(30),
            again_after: Duration::from_secs(30),
            settled_within: Duration::from_mins(5),
            topic_days: (7, 30),
        }
    }
}

/// Erases persons.
pub struct Erase {
    pub(crate) log: SharedLog,
    pub(crate) store: SharedStore,
    pub(crate) objects: SharedObjects,
    pub(crate) lake: Arc<Lake>,
    pub(crate) warehouse: Box<dyn EraseFrom>,
    pub(crate) tombstones: Arc<Tombstones>,
    pub(crate) settles: Option<Arc<dyn Settles>>,
    pub(crate) timing: Timing,
    /// Erasures that this process works on.
    running: Mutex<HashSet<Uuid>>,
}

impl Erase {
    /// Erases from these parts.
    pub fn new(
        log: SharedLog,
        store: SharedStore,
        objects: SharedObjects,
        lake: Arc<Lake>,
        warehouse: impl EraseFrom,
        tombstones: Arc<Tombstones>,
    ) -> Self {
        let (warehouse, timing) = (Box::new(warehouse), Timing::default());
        Self { log, store, objects, lake, warehouse, tombstones, settles: None, timing, running: Mutex::default() }
    }

    /// Settles by `settles`, at once.
    #[must_use]
    pub fn with_settle(self, settles: Arc<dyn Settles>) -> Self {
        Self { settles: Some(settles), ..self }
    }

    /// Waits as `timing` says.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// Begins an erasure; it is durable when this returns, and done by [`Erase::run`] or by [`Erase::resume`] later.
    pub async fn begin(&self, request: &EraseRequest) -> Result<Erasure, EraseError> {
        let erasure = Erasure::begin(&self.objects, &request.site, request.person()?).await?;
        tracing::info!(erasure = %erasure.erasure_id, site = erasure.site_id, "an erasure begins");
        Ok(erasure)
    }

    /// Goes on with an erasure to its end; answers its receipt.
    pub async fn run(&self, site: &str, id: Uuid) -> Result<String, EraseError> {
        let Some(_running) = Running::begin(&self.running, id) else { return Err(EraseError::Busy(id)) };
        let mut erasure = Erasure::read(&self.objects, site, id).await?;
        if erasure.step == Step::Done {
            // A run that was cut off at its very end may have left what names the person.
            erasure.clean_up(&self.objects).await?;
        }
        while erasure.step != Step::Done {
            self.step_once(&mut erasure).await?;
        }
        Ok(String::from_utf8_lossy(&self.receipt_text(site, id).await?).into_owned())
    }

    /// Does the step that is next; a test stops in between.
    pub async fn step(&self, site: &str, id: Uuid) -> Result<Step, EraseError> {
        let mut erasure = Erasure::read(&self.objects, site, id).await?;
        if erasure.step != Step::Done {
            self.step_once(&mut erasure).await?;
        }
        Ok(erasure.step)
    }

    async fn step_once(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let step = erasure.step;
        erasure.cut_off += u32::from(erasure.under_way);
        erasure.under_way = true;
        erasure.save(&self.objects).await?;
        self.do_step(erasure).await?;
        tracing::info!(erasure = %erasure.erasure_id, step = ?step, "a step of an erasure is done");
        if step == Step::Receipt {
            return erasure.finish(&self.objects).await;
        }
        erasure.under_way = false;
        erasure.step = step.next();
        erasure.save(&self.objects).await
    }

    /// Goes on with every erasure that is not done; says how many were finished. One that fails does not keep the others.
    pub async fn resume(&self) -> Result<u64, EraseError> {
        let (mut done, mut failed) = (0, None);
        for (site, id) in state::pending(&self.objects).await? {
            match self.run(&site, id).await {
                Ok(_) => done += 1,
                Err(EraseError::Busy(_)) => {}
                Err(error) => {
                    tracing::warn!(erasure = %id, %error, "an erasure waits; it goes on by itself");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(done), Err)
    }

    /// How far an erasure is.
    pub async fn status(&self, site: &str, id: Uuid) -> Result<Erasure, EraseError> {
        Erasure::read(&self.objects, site, id).await
    }

    /// The receipt of an erasure that is done.
    pub async fn receipt(&self, site: &str, id: Uuid) -> Result<Option<SignedReceipt>, EraseError> {
        match self.receipt_text(site, id).await {
            Ok(text) => {
                let damaged = |e: serde_json::Error| ErasureError::Damaged { key: receipt_key(site, id), why: e.to_string() };
                Ok(Some(serde_json::from_slice(&text).map_err(damaged)?))
            }
            Err(EraseError::Objects(ObjectError::NotFound(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// True if `text` is a receipt of this bucket's erasures, unchanged.
    pub async fn verifies(&self, text: &str) -> Result<bool, EraseError> {
        Ok(SignedReceipt::verifies(text, self.tombstones.key().await?))
    }

    /// The receipt's text as it was signed.
    pub async fn receipt_text(&self, site: &str, id: Uuid) -> Result<Bytes, EraseError> {
        Ok(self.objects.get(&receipt_key(site, id)).await?.1)
    }

    pub(crate) async fn write_receipt(&self, erasure: &Erasure) -> Result<(), EraseError> {
        let text = Receipt::of(erasure, self.ends(erasure)).signed(self.tombstones.key().await?)?;
        let options =
            PutOptions { condition: Condition::Absent, content_type: Some("application/json".to_owned()), ..PutOptions::default() };
        match self.objects.put(&receipt_key(&erasure.site_id, erasure.erasure_id), text.into(), options).await {
            // Written by a run that was cut off afterwards.
            Ok(_) | Err(ObjectError::PreconditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whom this erasure is about, and nobody else.
    pub(crate) async fn erased(&self, erasure: &Erasure) -> Result<Arc<Erased>, EraseError> {
        Ok(Arc::new(Erased::new(self.tombstones.key().await?.clone(), erasure.tombstones.iter().cloned())))
    }
}

/// An erasure that this process works on until this is dropped.
struct Running<'a>(&'a Mutex<HashSet<Uuid>>, Uuid);

impl<'a> Running<'a> {
    fn begin(all: &'a Mutex<HashSet<Uuid>>, id: Uuid) -> Option<Self> {
        let is_new = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Made only where it is ours: dropping it takes the id out again.
        is_new.then(|| Self(all, id))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
