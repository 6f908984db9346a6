//! A data folder that one process uses at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::Failure;

/// A claimed folder. The claim ends when this is dropped, or when the process dies in any way,
/// because it is an advisory lock of the operating system and not the mere presence of a file.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Makes `path` if needed and claims it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] that names the folder, and the process that holds it where known.
    pub fn claim(path: &Path) -> Result<Self, Failure> {
        let failed = |e: &std::io::Error| Failure::of_io(&format!("cannot use the folder {}", path.display()), e);
        std::fs::create_dir_all(path).map_err(|e| failed(&e))?;
        let mut lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join("lock")).map_err(|e| failed(&e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held_by_another(path, &mut lock)),
            Err(TryLockError::Error(e)) => return Err(failed(&e)),
        }
        // The number is for people only; a full disk must not keep the service from starting.
        let noted = lock.set_len(0).and_then(|()| lock.seek(SeekFrom::Start(0))).and_then(|_| write!(lock, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::warn!(%error, folder = %path.display(), "could not note the process id");
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the names of files just created in it durable.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sync(&self) -> Result<(), Failure> {
        let parent = self.path.parent().filter(|p| !p.as_os_str().is_empty());
        for folder in [Some(self.path.as_path()), parent].into_iter().flatten() {
            File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Failure::of_io(&format!("cannot sync {}", folder.display()), &e))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that is being started has the file open until it becomes another program.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, folder = %self.path.display(), "could not give the folder up");
        }
    }
}

fn held_by_another(path: &Path, lock: &mut File) -> Failure {
    let mut pid = String::new();
    let known = lock.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
    let holder = if known { format!(" (process {})", pid.trim()) } else { String::new() };
    Failure::Unavailable(format!(
        "the folder {} is in use by another running instance{holder}; stop it, or choose another data folder",
        path.display()
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_names_the_folder_and_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::claim(dir.path()).unwrap();
        let error = Folder::claim(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        Folder::claim(dir.path()).unwrap();
    }

    #[test]
    fn a_folder_given_up_is_free_though_a_copy_of_its_file_is_still_open() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::claim(dir.path()).unwrap();
        let _as_a_child_has_it = first.lock.try_clone().unwrap();
        drop(first);
        Folder::claim(dir.path()).unwrap();
    }
}
