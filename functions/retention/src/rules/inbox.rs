//! Files of the inbox that were taken, and then what tells of them. A file without a receipt stays.

use clickstream_objects::{ObjectError, ObjectInfo};

use super::remover::{PAGE, Remover};
use crate::{Applied, Retention, RetentionError};

impl Retention {
    pub(crate) async fn inbox(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let Some(days) = self.settings.inbox_days else { return Ok(vec![Applied::new("inbox", "for ever", "receipts")]) };
        let (mut applied, before) = (Applied::of_days("inbox", days, "receipts"), self.days_ago(days));
        let objects = &self.stores.objects;
        let remover = Remover::of(objects, dry_run).await?;
        let mut after = None::<String>;
        loop {
            let page = objects.list("receipts/", after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(vec![applied]) };
            after = Some(last.key.clone());
            for receipt in page.iter().filter(|receipt| receipt.modified_at < before.0) {
                self.remove_taken(&remover, receipt).await?;
                applied.add(1);
            }
        }
    }

    /// The file first: while its receipt stands, it is not taken again.
    async fn remove_taken(&self, remover: &Remover<'_>, receipt: &ObjectInfo) -> Result<(), ObjectError> {
        if let Some(file) = taken_file(&receipt.key) {
            match self.stores.objects.head(&file.key).await {
                // New content under the same name is a new file, with a receipt of its own.
                Ok(standing) if standing.etag == file.etag => remover.remove(&file.key).await?,
                Ok(_) | Err(ObjectError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        remover.remove(&receipt.key).await
    }
}

/// A file by its key and `ETag`.
#[derive(Debug, PartialEq, Eq)]
struct TakenFile {
    key: String,
    etag: String,
}

/// The file of a receipt `receipts/{site}/{name}-{etag}.json`; none for the list of lines beside a receipt.
fn taken_file(receipt: &str) -> Option<TakenFile> {
    let (file, etag) = receipt.strip_prefix("receipts/")?.strip_suffix(".json")?.rsplit_once('-')?;
    // The ETag of a file that was put in parts ends in `-` and their number.
    let (file, etag) = match file.rsplit_once('-') {
        Some((rest, hash)) if etag.len() < 32 && hash.len() == 32 => (rest, format!("{hash}-{etag}")),
        _ => (file, etag.to_owned()),
    };
    Some(TakenFile { key: format!("inbox/{file}"), etag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_its_file() {
        let etag = "0123456789abcdef0123456789abcdef";
        let of = |etag: &str| taken_file(&format!("receipts/shop/a/b-c.csv-{etag}.json")).map(|file| (file.key, file.etag));
        assert_eq!(of(etag), Some(("inbox/shop/a/b-c.csv".to_owned(), etag.to_owned())));
        assert_eq!(of(&format!("{etag}-3")), Some(("inbox/shop/a/b-c.csv".to_owned(), format!("{etag}-3"))));
        assert_eq!(taken_file("receipts/shop/x-rejected.ndjson.gz"), None);
    }
}
