//! Raw objects on their way from the bucket: some at once, and each in its turn.

use std::hash::RandomState;

use clickstream_columns::RawFile;
use clickstream_lake::LakeError;
use clickstream_objects::SharedObjects;
use futures::{Stream, StreamExt as _, stream};

use crate::{CompactError, part::Part, plan::RawObject};

/// A raw object to read.
#[derive(Clone, Debug)]
pub struct Loading {
    pub partition: u32,
    pub object: RawObject,
    /// The watermark of its partition.
    pub watermark: u64,
}

/// Reads the objects in their order, the next ones while the first is looked at.
pub fn parts(
    bucket: SharedObjects,
    objects: Vec<Loading>,
    state: RandomState,
    threads: usize,
) -> impl Stream<Item = Result<(Loading, Part), CompactError>> {
    stream::iter(objects).map(move |loading| read(SharedObjects::clone(&bucket), loading, state.clone())).buffered(threads + 1)
}

async fn read(bucket: SharedObjects, loading: Loading, state: RandomState) -> Result<(Loading, Part), CompactError> {
    let (_, bytes) = bucket.get(&loading.object.key).await?;
    let read = move || {
        let object = &loading.object;
        let part = RawFile::open(bytes)
            .and_then(|file| Part::of(file, loading.partition, (object.first, object.last), loading.watermark, &state))
            .map_err(|cause| CompactError::Raw { key: object.key.clone(), cause })?;
        Ok((loading, part))
    };
    tokio::task::spawn_blocking(read).await.map_err(|e| LakeError::Unavailable(e.to_string()))?
}

/// Memory that a raw object takes in a commit, about: its bytes, and what is written of it; what decides of each row,
/// or later its place and one column in each thread; and those columns' bytes. Five eighths of what is held at the peak:
/// the allocator has not given back yet what was freed a moment ago.
pub fn weight(file: &RawFile, threads: usize) -> u64 {
    let row = (64 + 32).max(28 + 32 * threads as u64);
    (2 * file.size() + row * file.rows() as u64 + file.largest(threads)) * 8 / 5
}
