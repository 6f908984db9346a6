//! The data folder: one service at a time.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::client::ServiceFile;

/// A data folder that belongs to this process until it ends.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Takes the folder, making it if need be; says who has it if another service does.
    pub fn claim(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make the data folder {}", path.display()))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(|| format!("cannot write to the data folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => match ServiceFile::read(path) {
                Some(other) => bail!(
                    "the data folder {} is in use by the service at {} (process {}): stop it, or choose another folder with --data",
                    path.display(),
                    other.url,
                    other.pid
                ),
                None => {
                    bail!("the data folder {} is in use by another service: stop it, or choose another folder with --data", path.display())
                }
            },
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock the data folder {}", path.display())),
        }
    }

    /// Tells the other commands where the service listens.
    pub fn announce(&self, service: &ServiceFile) -> anyhow::Result<()> {
        Ok(std::fs::write(self.path.join(ServiceFile::NAME), serde_json::to_vec(service)?)?)
    }

    /// Withdraws the announcement.
    pub fn release(self) {
        if let Err(error) = std::fs::remove_file(self.path.join(ServiceFile::NAME)) {
            tracing::warn!(%error, "cannot remove {}", ServiceFile::NAME);
        }
    }
}
