//! The work of one merge: files read whole, their rows taken apart by time, each part written in order.

use std::sync::Arc;

use clickstream_columns::{LakePart, TimedFile, write_lake_part};
use clickstream_lake::{Lake, LakeError, LakeFile, NewFile};

use super::layout::layout;
use crate::CompactError;

/// Writes the rows of `files` as fewer files of about `target` bytes.
pub async fn rewrite(lake: &Lake, files: &[LakeFile], target: u64) -> Result<Vec<NewFile>, CompactError> {
    let mut inputs = Vec::with_capacity(files.len());
    for file in files {
        let bytes = lake.read_file(&file.path).await?;
        let input = TimedFile::read(bytes).map_err(|e| LakeError::Corrupt(format!("{}: {e}", file.path)))?;
        if input.original_at.len() as u64 != file.rows {
            let (rows, said) = (input.original_at.len(), file.rows);
            return Err(LakeError::Corrupt(format!("{} has {rows} rows where the log says {said}", file.path)).into());
        }
        inputs.push(input);
    }
    let begins = begins(&inputs, files, target);
    let inputs = Arc::new(inputs);
    let mut written = Vec::with_capacity(begins.len());
    for (n, begin) in begins.iter().enumerate() {
        let (inputs, span) = (Arc::clone(&inputs), *begin..=begins.get(n + 1).map_or(i64::MAX, |next| next - 1));
        let encoded = tokio::task::spawn_blocking(move || write_lake_part(&inputs, |time| span.contains(&time))).await;
        let LakePart { bytes, rows, original_at, occurred_at } = encoded.map_err(|e| LakeError::Unavailable(e.to_string()))??;
        written.push(lake.write_file(bytes, rows, original_at, occurred_at).await?);
    }
    Ok(written)
}

/// The moments at which the new files begin.
fn begins(inputs: &[TimedFile], files: &[LakeFile], target: u64) -> Vec<i64> {
    let mut times: Vec<i64> = inputs.iter().flat_map(|input| &input.original_at).copied().collect();
    times.sort_unstable();
    let (bytes, rows): (u64, u64) = files.iter().fold((0, 0), |(bytes, rows), file| (bytes + file.size, rows + file.rows));
    layout(&times, files.len(), |part| (part as u64 * bytes).div_ceil(rows.max(1) * target) as usize)
}
