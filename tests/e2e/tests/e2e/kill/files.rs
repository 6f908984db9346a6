//! Files on disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every file under `folder`.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found
}
