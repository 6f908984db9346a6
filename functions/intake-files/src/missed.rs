//! Files that stand in the inbox without a receipt: nobody announced them, or the announcement was lost.

use std::collections::HashSet;

use clickstream_objects::{ObjectError, ObjectInfo, SharedObjects};

use crate::place::{check_name, in_inbox, receipt_key};

/// Objects of the inbox looked at together.
const PAGE: usize = 1_000;

/// A page of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Files without a receipt; some may be in work, or have just been put.
    pub files: Vec<ObjectInfo>,
    /// The key after which the next page begins; none where the inbox ends.
    pub next: Option<String>,
}

/// Looks for files without a receipt after the key `after`.
///
/// # Errors
/// If the bucket cannot be listed.
pub async fn missed(objects: &SharedObjects, after: Option<&str>) -> Result<Missed, ObjectError> {
    let standing = objects.list("inbox/", after, PAGE).await?;
    let next = standing.last().filter(|_| standing.len() == PAGE).map(|object| object.key.clone());
    let of = |object: &ObjectInfo| {
        let (site, name) = in_inbox(&object.key).filter(|(_, name)| check_name(name).is_ok())?;
        Some(receipt_key(site, name, &object.etag))
    };
    let mut wanted: Vec<_> = standing.into_iter().filter_map(|object| of(&object).map(|receipt| (receipt, object))).collect();
    let receipts = receipts(objects, wanted.iter().map(|(receipt, _)| receipt.as_str())).await?;
    wanted.retain(|(receipt, _)| !receipts.contains(receipt));
    Ok(Missed { files: wanted.into_iter().map(|(_, object)| object).collect(), next })
}

/// The keys that stand between the first and the last of `wanted`.
async fn receipts<'a>(objects: &SharedObjects, wanted: impl Iterator<Item = &'a str> + Clone) -> Result<HashSet<String>, ObjectError> {
    let mut found = HashSet::new();
    let (Some(first), Some(last)) = (wanted.clone().min(), wanted.max()) else { return Ok(found) };
    // A listing begins after a key, and the first shall be in it.
    let mut after = first.trim_end_matches(".json").to_owned();
    loop {
        let page = objects.list("receipts/", Some(&after), PAGE).await?;
        let Some(end) = page.last().map(|object| object.key.clone()) else { return Ok(found) };
        let is_last = page.len() < PAGE || end.as_str() >= last;
        found.extend(page.into_iter().map(|object| object.key));
        if is_last {
            return Ok(found);
        }
        after = end;
    }
}
