//! Names: a file in the inbox, its receipt, and where files of unknown sites go.

/// The receipt's key. A file is its name and its bytes: new content under an old name is a new file.
pub fn receipt_key(site: &str, name: &str, etag: &str) -> String {
    format!("receipts/{site}/{name}-{etag}.json")
}

/// The companion of a receipt that lists every rejected line.
pub fn rejected_key(site: &str, name: &str, etag: &str) -> String {
    format!("receipts/{site}/{name}-{etag}-rejected.ndjson.gz")
}

/// Where a file of a site that does not exist is kept, beside others of its name.
pub fn quarantine_key(site: &str, name: &str, etag: &str) -> String {
    format!("quarantine/{site}/{etag}/{name}")
}

/// Site and name of a file in the inbox; a key that ends with a slash is a folder that a console made.
pub fn in_inbox(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("inbox/")?.split_once('/').filter(|(site, name)| !site.is_empty() && !name.is_empty() && !name.ends_with('/'))
}
