//! A disk of its own for a data folder, or a part of one.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system in memory.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one of `size` (such as `16m`), where this is allowed (as root).
    pub fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file until nothing more fits.
    pub fn fill(&self) {
        let mut ballast = File::create(self.0.join("ballast")).expect("a file");
        let mut size = 1 << 20;
        while size > 0 {
            if ballast.write_all(&vec![b'x'; size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Makes space.
    pub fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("the file is removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
