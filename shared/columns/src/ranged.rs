//! A lake file that is not in memory: some columns of some row groups, one group at a time.

use std::{ops::Range, sync::Arc};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt as _, TryStreamExt as _, future::BoxFuture};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::ArrowReaderOptions,
        async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder},
    },
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        statistics::Statistics,
    },
};

use crate::{ColumnsError, parquet_file::GROUP_ROWS};

/// The bytes of a file, wherever it is.
#[async_trait]
pub trait FileBytes: Send + Sync + 'static {
    /// How many there are.
    fn size(&self) -> u64;
    /// Those of a range.
    async fn range(&self, range: Range<u64>) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;
}

/// Some columns of the row groups whose `original_at` (least and greatest, µs) `wanted` takes, a group at a time.
pub async fn read_groups(
    file: Arc<dyn FileBytes>,
    names: &[&str],
    wanted: impl Fn(i64, i64) -> bool,
    mut each: impl FnMut(&RecordBatch) -> Result<(), ColumnsError>,
) -> Result<(), ColumnsError> {
    let builder = ParquetRecordBatchStreamBuilder::new(Reader(file)).await?;
    let takes = |group: &RowGroupMetaData| original_at(group).is_none_or(|(from, to)| wanted(from, to));
    let groups = builder.metadata().row_groups().iter().enumerate().filter(|(_, group)| takes(group)).map(|(index, _)| index).collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let mut batches = builder.with_projection(mask).with_row_groups(groups).with_batch_size(GROUP_ROWS).build()?;
    while let Some(batch) = batches.try_next().await? {
        each(&batch)?;
    }
    Ok(())
}

/// The range of `original_at` of a group, if the file says it.
fn original_at(group: &RowGroupMetaData) -> Option<(i64, i64)> {
    let column = group.columns().iter().find(|column| column.column_path().string() == "original_at")?;
    match column.statistics()? {
        Statistics::Int64(times) => Some((*times.min_opt()?, *times.max_opt()?)),
        _ => None,
    }
}

struct Reader(Arc<dyn FileBytes>);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move { self.0.range(range).await.map_err(ParquetError::External) }.boxed()
    }

    fn get_metadata<'a>(&'a mut self, _: Option<&'a ArrowReaderOptions>) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.0.size();
            let read = ParquetMetaDataReader::new().with_prefetch_hint(Some(64 * 1024)).load_and_finish(&mut *self, size).await?;
            Ok(Arc::new(read))
        }
        .boxed()
    }
}
