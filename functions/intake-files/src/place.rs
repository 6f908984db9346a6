//! Names: a file in the inbox, its receipt, and where files of unknown sites go.

/// Longest part of a file's name between slashes, bytes: servers on a file system take 255, and a receipt adds 58.
const LONGEST_PART: usize = 190;
/// Longest name of a file, bytes: keys may have 1,024, and a site's name and what a receipt adds go off.
const LONGEST_NAME: usize = 800;

/// Says what is wrong with a name whose receipt could not be written.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.len() <= LONGEST_NAME && name.split('/').all(|part| part.len() <= LONGEST_PART) {
        return Ok(());
    }
    Err(format!("the file's name is too long: at most {LONGEST_PART} bytes, with folders {LONGEST_NAME}, in UTF-8"))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_file_has_a_name_that_every_server_takes() {
        let (part, etag) = ("я".repeat(LONGEST_PART / 2), "0".repeat(32));
        let name = [part.as_str(); 4].join("/");
        assert!(check_name(&name).is_ok() && check_name(&format!("{part}a")).is_err() && check_name(&format!("{name}/{part}")).is_err());
        for key in [receipt_key("shop", &name, &etag), rejected_key("shop", &name, &etag), quarantine_key("shop", &etag, &name)] {
            assert!(key.len() <= 1_024 && key.split('/').all(|part| part.len() <= 255), "{key}");
        }
    }
}
