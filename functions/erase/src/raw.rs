//! Raw objects: rows of the person become dead letters.

use clickstream_erasure::rewrite_raw;
use clickstream_event::Micros;

use crate::{Erase, EraseError, Erasure};

/// Objects listed at a time.
const PAGE: usize = 1_000;

impl Erase {
    /// Goes through raw objects, or through those written since `since`.
    pub(crate) async fn erase_raw(&self, erasure: &mut Erasure, since: Option<Micros>) -> Result<(), EraseError> {
        let erased = self.erased(erasure).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self.objects.list("raw/events/", after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for object in page.iter().filter(|o| o.key.ends_with(".parquet") && since.is_none_or(|since| o.modified_at >= since.0)) {
                let rows = rewrite_raw(&self.objects, &object.key, &erased).await?;
                if rows > 0 {
                    erasure.removed.raw_rows += rows;
                    erasure.rewritten.insert(object.key.clone());
                    // Written down at once: what is counted here is not found again.
                    erasure.save(&self.objects).await?;
                }
            }
        }
    }
}
