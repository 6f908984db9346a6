//! The lake: files that hold the person's rows are replaced, and then removed.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute::{cast, filter_record_batch, max, min, not},
    datatypes::{DataType, Int64Type},
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, read_parquet, write_lake_file};
use clickstream_erasure::Erased;
use clickstream_event::Micros;
use clickstream_lake::{ErasedRow, LakeError, LakeFile, NewFile, Rewrite, Snapshot};

use crate::{Erase, EraseError, Erasure, error::cut_off};

/// Tries of one commit against other writers.
const TRIES: u32 = 50;
/// Files replaced by one version: fewer lose less to other writers.
const FILES_AT_ONCE: usize = 8;
/// Where the table's files stand in the bucket.
const TABLE: &str = "lake/events/";
/// Files listed at a time.
const PAGE: usize = 1_000;

/// A file without some of its rows.
struct Cut {
    erased: Vec<ErasedRow>,
    rows: u64,
    bytes: Bytes,
    original_at: (Micros, Micros),
    occurred_at: (Micros, Micros),
}

impl Erase {
    /// An empty version: who computes on an older one starts again, and finds the tombstones.
    pub(crate) async fn empty_version(&self) -> Result<u64, EraseError> {
        for _ in 0..TRIES {
            let base = self.lake.snapshot().await?;
            match self.lake.rewrite(&base, &Rewrite::default()).await {
                Ok(version) => return Ok(version),
                Err(LakeError::Lost(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EraseError::Crowded(TRIES))
    }

    /// Replaces files that hold rows of the person, some at a time, until none does.
    pub(crate) async fn erase_lake(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let erased = self.erased(erasure).await?;
        let mut clean = HashSet::new();
        let mut lost = 0;
        loop {
            let snapshot = self.lake.snapshot().await?;
            erasure.lake_version = erasure.lake_version.max(snapshot.version);
            let found = self.held(&snapshot, &erased, &mut clean).await?;
            if found.is_empty() {
                return Ok(());
            }
            match self.replace(&snapshot, &found, &erased).await {
                Ok((version, rows)) => {
                    lost = 0;
                    erasure.lake_version = version;
                    erasure.removed.lake_rows += rows;
                    erasure.save(&self.objects).await?;
                }
                // Another came first: look at what stands now.
                Err(EraseError::Lake(LakeError::Lost(_))) if lost < TRIES => lost += 1,
                Err(EraseError::Lake(LakeError::Lost(_))) => return Err(EraseError::Crowded(TRIES)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Some files of the snapshot that hold such rows, with their bytes. `clean` are those that are known not to.
    async fn held(
        &self,
        snapshot: &Snapshot,
        erased: &Arc<Erased>,
        clean: &mut HashSet<String>,
    ) -> Result<Vec<(LakeFile, Bytes)>, EraseError> {
        let mut found = Vec::new();
        for file in &snapshot.files {
            if clean.contains(&file.path) {
                continue;
            }
            let bytes = self.lake.read_file(&file.path).await?;
            let (by, of) = (Arc::clone(erased), bytes.clone());
            let rows = tokio::task::spawn_blocking(move || by.count(&of)).await.map_err(cut_off)??;
            if rows == 0 {
                clean.insert(file.path.clone());
                continue;
            }
            found.push((file.clone(), bytes));
            if found.len() == FILES_AT_ONCE {
                break;
            }
        }
        Ok(found)
    }

    /// Commits the files without the rows; the version and how many rows went.
    async fn replace(&self, base: &Snapshot, found: &[(LakeFile, Bytes)], erased: &Arc<Erased>) -> Result<(u64, u64), EraseError> {
        let (mut rows, mut added) = (Vec::new(), Vec::<NewFile>::new());
        for (_, bytes) in found {
            let (by, bytes) = (Arc::clone(erased), bytes.clone());
            let cut = tokio::task::spawn_blocking(move || cut(bytes, &by)).await.map_err(cut_off)??;
            rows.extend(cut.erased);
            if cut.rows > 0 {
                added.push(self.lake.write_file(cut.bytes, cut.rows, cut.original_at, cut.occurred_at).await?);
            }
        }
        let list = self.lake.write_erased(&rows).await?;
        let removed = found.iter().map(|(file, _)| file.clone()).collect();
        let version = self.lake.rewrite(base, &Rewrite { removed, added, erased: Some(list) }).await?;
        Ok((version, rows.len() as u64))
    }

    /// Removes files that no version needs any more and that hold rows of the person: those that were replaced, and
    /// those of commits that were lost. Every version up to the erasure's is settled by now.
    pub(crate) async fn vacuum(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let erased = self.erased(erasure).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self.objects.list(TABLE, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            // Listed first: what is committed meanwhile has no such rows.
            let named: HashSet<String> = self.lake.snapshot().await?.files.into_iter().map(|file| file.path).collect();
            for object in &page {
                let path = &object.key[TABLE.len()..];
                if path.starts_with('_') || !path.ends_with(".parquet") || named.contains(path) {
                    continue;
                }
                let bytes = match self.objects.get(&object.key).await {
                    Ok((_, bytes)) => bytes,
                    Err(clickstream_objects::ObjectError::NotFound(_)) => continue,
                    Err(error) => return Err(error.into()),
                };
                let by = Arc::clone(&erased);
                if tokio::task::spawn_blocking(move || by.count(&bytes)).await.map_err(cut_off)?? > 0 {
                    self.objects.delete(&object.key).await?;
                    erasure.deleted.insert(object.key.clone());
                    erasure.save(&self.objects).await?;
                }
            }
        }
    }
}

fn cut(bytes: Bytes, erased: &Erased) -> Result<Cut, ColumnsError> {
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for batch in read_parquet(bytes)? {
        match erased.mask(&batch)? {
            Some(mask) => {
                gone.extend(rows_of(&filter_record_batch(&batch, &mask)?)?);
                kept.push(filter_record_batch(&batch, &not(&mask)?)?);
            }
            None => kept.push(batch),
        }
    }
    let rows = kept.iter().map(|batch| batch.num_rows() as u64).sum();
    let (original_at, occurred_at) = (range(&kept, "original_at")?, range(&kept, "occurred_at")?);
    let bytes = if rows > 0 { write_lake_file(kept.into_iter().map(Ok))? } else { Bytes::new() };
    Ok(Cut { erased: gone, rows, bytes, original_at, occurred_at })
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<ErasedRow>, ColumnsError> {
    let text = |name: &'static str| {
        let column = batch.column_by_name(name).ok_or(ColumnsError::Column(name))?;
        cast(column, &DataType::Utf8)?.as_string_opt::<i32>().cloned().ok_or(ColumnsError::Column(name))
    };
    let (sites, ids, occurred) = (text("site_id")?, text("event_id")?, moments(batch, "occurred_at")?);
    (0..batch.num_rows())
        .map(|row| {
            let wrong = |_| ColumnsError::Row { row, why: "event_id is no UUID".to_owned() };
            Ok(ErasedRow {
                site_id: sites.value(row).to_owned(),
                event_id: ids.value(row).parse().map_err(wrong)?,
                occurred_at: Micros(if occurred.is_null(row) { 0 } else { occurred.value(row) }),
            })
        })
        .collect()
}

fn moments(batch: &RecordBatch, name: &'static str) -> Result<arrow::array::Int64Array, ColumnsError> {
    let column = batch.column_by_name(name).ok_or(ColumnsError::Column(name))?;
    cast(column, &DataType::Int64)?.as_primitive_opt::<Int64Type>().cloned().ok_or(ColumnsError::Column(name))
}

/// Least and greatest of a time.
fn range(batches: &[RecordBatch], name: &'static str) -> Result<(Micros, Micros), ColumnsError> {
    let (mut low, mut high) = (None, None);
    for batch in batches {
        let times = moments(batch, name)?;
        low = low.into_iter().chain(min(&times)).min();
        high = high.into_iter().chain(max(&times)).max();
    }
    Ok((Micros(low.unwrap_or(0)), Micros(high.unwrap_or(0))))
}
