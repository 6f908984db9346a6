//! The work: a file in the inbox through validation, then its receipt.

use std::{
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use clickstream_event::{Arrival, Micros, Site, Sites, Source};
use clickstream_log::{EVENTS, REJECTED, SharedLog};
use clickstream_objects::{ByteStream, Condition, Notification, ObjectError, ObjectInfo, PutOptions, SharedObjects};
use clickstream_telemetry::{metric, trace};
use flate2::{Compression, write::GzEncoder};
use futures::{Stream, TryStreamExt as _};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::{
    IntakeFilesError, Limits, Receipt,
    format::{Format, TAKEN},
    place::{check_name, in_inbox, quarantine_key, receipt_key, rejected_key},
    read::{self, Stop},
    receipt::{FileError, RejectedLine},
    sink::{Judge, Judged},
};

/// Batches that may wait for the log.
const WAITING: usize = 4;

/// What became of an announced file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// It was taken in; this is its receipt.
    Taken(Box<Receipt>),
    /// It has its receipt already, by this run's twin or an earlier one.
    TakenBefore,
    /// Its site is unknown; it was put into quarantine.
    Quarantined,
    /// It is there no more.
    Gone,
    /// It is no file of the inbox.
    Ignored,
}

/// Takes files in.
pub struct IntakeFiles {
    log: SharedLog,
    objects: SharedObjects,
    sites: Sites,
    limits: Limits,
}

/// A file and its name.
struct Named<'a> {
    site: &'a str,
    name: &'a str,
    info: ObjectInfo,
}

impl IntakeFiles {
    /// Takes files of `sites` in `objects` into `log`.
    pub fn new(log: SharedLog, objects: SharedObjects, sites: Sites, limits: Limits) -> Self {
        Self { log, objects, sites, limits }
    }

    /// Takes the announced file in, once however often it is announced. After a crash in the middle its records are
    /// logged again; their ids are the same, so they count once.
    pub async fn handle(&self, notification: &Notification) -> Result<FileOutcome, IntakeFilesError> {
        let outcome = self.take(&notification.key).await?;
        let name = match &outcome {
            FileOutcome::Taken(receipt) if receipt.error.is_some() => "failed",
            FileOutcome::Taken(_) => "taken",
            FileOutcome::TakenBefore => "taken_before",
            FileOutcome::Quarantined => "quarantined",
            FileOutcome::Gone => "gone",
            FileOutcome::Ignored => "ignored",
        };
        metrics::counter!(metric::FILES, "outcome" => name).increment(1);
        tracing::info!(key = notification.key, outcome = name, "file");
        Ok(outcome)
    }

    async fn take(&self, key: &str) -> Result<FileOutcome, IntakeFilesError> {
        let Some((site_id, name)) = in_inbox(key) else { return Ok(FileOutcome::Ignored) };
        if let Err(wrong) = check_name(name) {
            tracing::error!(key, wrong, "a file is left in the inbox: no receipt of it could be written");
            return Ok(FileOutcome::Ignored);
        }
        let (info, bytes) = match self.objects.get_stream(key).await {
            Ok(got) => got,
            Err(ObjectError::NotFound(_)) => return Ok(FileOutcome::Gone),
            Err(error) => return Err(error.into()),
        };
        let Some(site) = self.sites.by_id(site_id) else {
            self.quarantine(&info, &quarantine_key(site_id, name, &info.etag), bytes).await?;
            return Ok(FileOutcome::Quarantined);
        };
        match self.objects.head(&receipt_key(site_id, name, &info.etag)).await {
            Ok(_) => return Ok(FileOutcome::TakenBefore),
            Err(ObjectError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let file = Named { site: site_id, name, info };
        let receipt = self.read(&file, site, bytes).await?;
        self.write_receipt(&file, receipt).await
    }

    async fn read(&self, file: &Named<'_>, site: Arc<Site>, bytes: ByteStream) -> Result<Receipt, IntakeFilesError> {
        let started_at = Micros::now();
        let mut receipt = Receipt {
            file: file.info.key.clone(),
            site_id: file.site.to_owned(),
            etag: file.info.etag.clone(),
            size: file.info.size,
            format: String::new(),
            accepted: 0,
            suspicious: 0,
            rejected: 0,
            lines: 0,
            started_at,
            finished_at: started_at,
            rejected_lines: Vec::new(),
            rejected_lines_object: None,
            error: None,
        };
        let Some(format) = Format::of(file.name) else {
            let message = format!("the name {:?} tells no format; taken are {TAKEN}", file.name);
            receipt.error = Some(FileError { code: "format".to_owned(), message });
            return Ok(receipt);
        };
        receipt.format = format.name();
        let (out, mut judged) = mpsc::channel(WAITING);
        let limits = self.limits;
        let lost = Arc::new(Mutex::new(None));
        let stream = StreamReader::new(noting_loss(bytes, &lost));
        let runtime = tokio::runtime::Handle::current();
        let reading = tokio::task::spawn_blocking(trace::inherited(move || {
            let bytes = SyncIoBridge::new_with_handle(stream, runtime);
            let arrival =
                Arrival { received_at: started_at, source: Source::File, ip: None, user_agent: None, country: None, sent_at: None };
            let mut judge = Judge { site: &site, arrival, out, batch: Judged::default() };
            let read = read::records(bytes, format, &limits, &mut |record| judge.take(record));
            judge.hand_on();
            read
        }));
        let mut all_rejected = None;
        while let Some(batch) = judged.recv().await {
            self.keep(batch?, &mut receipt, &mut all_rejected).await?;
        }
        let read = reading.await.map_err(|e| ObjectError::Unavailable(e.to_string()))?;
        // A bucket that broke off says nothing of the file: it is read again.
        if let Some(error) = lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error.into());
        }
        match read {
            Ok(()) | Err(Stop::Closed) => {}
            Err(Stop::File(error)) => receipt.error = Some(error),
            Err(Stop::Disk(error)) => return Err(error.into()),
        }
        receipt.finished_at = Micros::now();
        if let Some(list) = all_rejected {
            let key = rejected_key(file.site, file.name, &file.info.etag);
            let written = list.finish()?;
            self.objects.put_file(&key, written.path(), PutOptions::default()).await?;
            receipt.rejected_lines_object = Some(key);
        }
        Ok(receipt)
    }

    async fn keep(
        &self,
        batch: Judged,
        receipt: &mut Receipt,
        all_rejected: &mut Option<GzEncoder<NamedTempFile>>,
    ) -> Result<(), IntakeFilesError> {
        let rejected = batch.rejected.len() as u64;
        receipt.lines += batch.accepted + batch.suspicious + rejected;
        receipt.accepted += batch.accepted;
        receipt.suspicious += batch.suspicious;
        receipt.rejected += rejected;
        for (verdict, count) in [("valid", batch.accepted), ("suspicious", batch.suspicious), ("rejected", rejected)] {
            metrics::counter!(metric::EVENTS, "source" => "file", "verdict" => verdict).increment(count);
        }
        if !batch.events.is_empty() {
            self.log.append(EVENTS, batch.events).await?;
        }
        if !batch.rejections.is_empty() {
            self.log.append(REJECTED, batch.rejections).await?;
        }
        self.list_rejected(batch.rejected, receipt, all_rejected)
    }

    /// Lists rejected lines in the receipt, and past its room all of them in a companion.
    fn list_rejected(
        &self,
        lines: Vec<RejectedLine>,
        receipt: &mut Receipt,
        all_rejected: &mut Option<GzEncoder<NamedTempFile>>,
    ) -> Result<(), IntakeFilesError> {
        for line in lines {
            if all_rejected.is_none() && receipt.rejected_lines.len() == self.limits.listed_lines {
                let mut list = GzEncoder::new(NamedTempFile::new()?, Compression::fast());
                receipt.rejected_lines.iter().try_for_each(|line| write_line(&mut list, line))?;
                *all_rejected = Some(list);
            }
            match all_rejected {
                Some(list) => write_line(list, &line)?,
                None => receipt.rejected_lines.push(line),
            }
        }
        Ok(())
    }

    /// The receipt is written once; a twin of this run that was faster has written the same.
    async fn write_receipt(&self, file: &Named<'_>, receipt: Receipt) -> Result<FileOutcome, IntakeFilesError> {
        let key = receipt_key(file.site, file.name, &file.info.etag);
        let body = serde_json::to_vec_pretty(&receipt)?;
        let options =
            PutOptions { condition: Condition::Absent, content_type: Some("application/json".to_owned()), ..PutOptions::default() };
        match self.objects.put(&key, body.into(), options).await {
            Ok(_) => Ok(FileOutcome::Taken(Box::new(receipt))),
            Err(ObjectError::PreconditionFailed(_)) => Ok(FileOutcome::TakenBefore),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a file; one that was put under its key meanwhile stays, and has a notification of its own.
    async fn quarantine(&self, file: &ObjectInfo, to: &str, bytes: ByteStream) -> Result<(), IntakeFilesError> {
        let spool = NamedTempFile::new()?;
        copy(bytes, spool.path()).await?;
        self.objects.put_file(to, spool.path(), PutOptions::default()).await?;
        if self.objects.head(&file.key).await.is_ok_and(|standing| standing.etag == file.etag) {
            self.objects.delete(&file.key).await?;
        }
        tracing::warn!(key = file.key, to, "a file of a site that does not exist");
        Ok(())
    }
}

/// The bytes, with an error of the bucket set aside: a reader cannot tell it from a broken file.
fn noting_loss(bytes: ByteStream, lost: &Arc<Mutex<Option<ObjectError>>>) -> impl Stream<Item = std::io::Result<Bytes>> + Unpin + use<> {
    let lost = Arc::clone(lost);
    bytes.map_err(move |error| {
        let told = std::io::Error::other(error.to_string());
        *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        told
    })
}

fn write_line(list: &mut GzEncoder<NamedTempFile>, line: &RejectedLine) -> std::io::Result<()> {
    serde_json::to_writer(&mut *list, line)?;
    list.write_all(b"\n")
}

async fn copy(mut bytes: ByteStream, path: &Path) -> Result<(), IntakeFilesError> {
    use tokio::io::AsyncWriteExt as _;
    let mut file = tokio::fs::File::create(path).await?;
    while let Some(chunk) = bytes.try_next().await? {
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(())
}
