//! The bucket as the lake reaches it.
//!
//! Writes and reads of files, and above all a version's commit, wait for their turn. The lake's log is read by threads of
//! the Delta library's own: such calls take no turn ([`Life::fails`]).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, path::Path,
};

use super::bucket::{Bucket, is_lake_file as is_file, is_version};
use crate::{
    fault::{Boundary, Fault},
    life::{Failure, Life},
};

/// The bucket as one process of the lake reaches it.
pub struct LakePort {
    bucket: Arc<Bucket>,
    life: Arc<Life>,
    /// What was written before this turn is listed as of long ago.
    aged: Arc<AtomicU64>,
}

impl LakePort {
    pub fn new(bucket: &Arc<Bucket>, life: &Arc<Life>) -> Self {
        Self { bucket: Arc::clone(bucket), life: Arc::clone(life), aged: Arc::default() }
    }

    /// Lists what was written before the turn that `aged` says as of long ago: in place of the days that pass.
    pub fn aging(self, aged: &Arc<AtomicU64>) -> Self {
        Self { aged: Arc::clone(aged), ..self }
    }

    /// A call that may come from any thread.
    fn glance(&self, what: &str) -> Result<()> {
        if self.life.fails(Boundary::LakeRead, what) { Err(unavailable()) } else { Ok(()) }
    }

    #[cfg(feature = "faults")]
    fn broken(&self, switch: crate::Switch) -> bool {
        self.life.sim.broken(switch)
    }
}

fn unavailable() -> Error {
    Error::Generic { store: "sim", source: "the seed says so".into() }
}

impl fmt::Debug for LakePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LakePort({})", self.life.name)
    }
}

impl fmt::Display for LakePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lake of {}", self.life.name)
    }
}

#[async_trait]
impl ObjectStore for LakePort {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let (version, file) = (is_version(location), is_file(location));
        if !version && !file {
            self.glance(location.as_ref())?;
            let put = self.bucket.put(location, Bytes::from(payload), opts.mode, opts.attributes)?;
            return Ok(PutResult { e_tag: Some(put), version: None });
        }
        let boundary = if version { Boundary::DeltaCommit } else { Boundary::LakeFile };
        let can: &'static [Fault] = match opts.mode {
            PutMode::Overwrite => &[Fault::NotDone, Fault::Unanswered, Fault::Late],
            _ => &[Fault::NotDone, Fault::Unanswered, Fault::Late, Fault::Mistaken],
        };
        let (bucket, path, body, mode) = (Arc::clone(&self.bucket), location.clone(), Bytes::from(payload), opts.mode);
        #[cfg(feature = "faults")]
        let body = if file && self.life.name == "merge" && self.broken(crate::Switch::MergeDropsRow) { without_a_row(body)? } else { body };
        #[cfg(feature = "faults")]
        let blind = version && self.broken(crate::Switch::BlindRetry);
        let put = self.life.perform(boundary, can, move |_| {
            #[cfg(feature = "faults")]
            let path = if blind { next_free(&bucket, &path) } else { path.clone() };
            bucket.put(&path, body.clone(), mode.clone(), opts.attributes.clone())
        });
        let existing = || Error::AlreadyExists { path: location.to_string(), source: "the seed says so".into() };
        match put.await {
            Ok(put) => Ok(PutResult { e_tag: Some(put?), version: None }),
            Err(Failure::Mistaken) => Err(existing()),
            Err(Failure::Unknown) => Err(unavailable()),
        }
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.glance(location.as_ref())?;
        self.bucket.objects.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if is_file(location) {
            let got = self.life.perform(Boundary::LakeRead, &[Fault::NotDone], |_| ()).await;
            got.map_err(|_| unavailable())?;
        } else {
            self.glance(location.as_ref())?;
        }
        let got = self.bucket.objects.get_opts(location, options).await?;
        #[cfg(feature = "faults")]
        if is_file(location) && self.life.name.starts_with("compact") && self.broken(crate::Switch::SkipAntiJoin) {
            return hollow(got).await;
        }
        Ok(got)
    }

    /// One after the other, each a call of its own.
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (bucket, life) = (Arc::clone(&self.bucket), Arc::clone(&self.life));
        let delete = move |location: Result<Path>| {
            let (bucket, life) = (Arc::clone(&bucket), Arc::clone(&life));
            async move {
                let location = location?;
                let path = location.clone();
                let deleted = life.perform(Boundary::LakeDelete, &[Fault::NotDone, Fault::Unanswered], move |_| bucket.delete(&path)).await;
                deleted.map_err(|_| unavailable())?.map(|()| location)
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.glance(prefix.map_or("", AsRef::as_ref)) {
            return stream::iter([Err(error)]).boxed();
        }
        let (bucket, before) = (Arc::clone(&self.bucket), self.aged.load(Ordering::SeqCst));
        let aged = move |meta: Result<ObjectMeta>| {
            let mut meta = meta?;
            if bucket.written(meta.location.as_ref()).is_some_and(|turn| turn < before) {
                // 1970, longer ago than any setting keeps files.
                let _ = std::mem::take(&mut meta.last_modified);
            }
            Ok(meta)
        };
        self.bucket.objects.list(prefix).map(aged).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.glance(prefix.map_or("", AsRef::as_ref))?;
        self.bucket.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.glance(to.as_ref())?;
        self.bucket.objects.copy_opts(from, to, options).await
    }
}

/// The first version at or after the one that `path` names which does not stand.
#[cfg(feature = "faults")]
fn next_free(bucket: &Bucket, path: &Path) -> Path {
    let mut path = path.clone();
    while bucket.get(&path).is_ok() {
        let (folder, name) = path.as_ref().rsplit_once('/').unwrap_or_default();
        let version: u64 = name.trim_end_matches(".json").parse().unwrap_or(0);
        path = Path::from(format!("{folder}/{:020}.json", version + 1));
    }
    path
}

/// A Parquet file of the same columns that lacks the last row.
#[cfg(feature = "faults")]
fn without_a_row(whole: Bytes) -> Result<Bytes> {
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    let broken = |e: parquet::errors::ParquetError| Error::Generic { store: "sim", source: Box::new(e) };
    let file = ParquetRecordBatchReaderBuilder::try_new(whole).map_err(broken)?;
    let schema = Arc::clone(file.schema());
    let batches: Vec<_> = file.build().map_err(broken)?.filter_map(std::result::Result::ok).collect();
    let mut cut = ArrowWriter::try_new(Vec::new(), schema, None).map_err(broken)?;
    for (index, batch) in batches.iter().enumerate() {
        let rows = batch.num_rows() - usize::from(index + 1 == batches.len());
        cut.write(&batch.slice(0, rows)).map_err(broken)?;
    }
    Ok(cut.into_inner().map_err(broken)?.into())
}

/// A Parquet file of the same columns and length without rows.
#[cfg(feature = "faults")]
async fn hollow(got: GetResult) -> Result<GetResult> {
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    let broken = |e: parquet::errors::ParquetError| Error::Generic { store: "sim", source: Box::new(e) };
    let (meta, range, attributes) = (got.meta.clone(), got.range.clone(), got.attributes.clone());
    let whole = got.bytes().await?;
    let schema = Arc::clone(ParquetRecordBatchReaderBuilder::try_new(whole.clone()).map_err(broken)?.schema());
    let empty = ArrowWriter::try_new(Vec::new(), schema, None).and_then(ArrowWriter::into_inner).map_err(broken)?;
    let mut padded = vec![0; whole.len().saturating_sub(empty.len())];
    padded.extend_from_slice(&empty[4..]);
    let bytes: Bytes = [b"PAR1".as_slice(), &padded].concat().into();
    let payload = object_store::GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
    Ok(GetResult { payload, meta, range, attributes })
}
