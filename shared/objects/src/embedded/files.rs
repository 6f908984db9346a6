//! Where an object's bytes lie: under its own name where a file can have it, else under a name of our own.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Component, Path, PathBuf},
};

use uuid::Uuid;

/// Files being written; emptied at start.
const INCOMING: &str = ".incoming";
/// Objects whose key no file can have, or whose key was written before.
const UNNAMED: &str = ".unnamed";

/// The folder of one bucket's bytes.
pub struct Files {
    root: PathBuf,
    bucket: String,
}

impl Files {
    /// The files of `bucket` under `root`; what a crash left half-written is removed.
    pub fn open(root: &Path, bucket: &str) -> io::Result<Self> {
        let incoming = root.join(INCOMING);
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for folder in [incoming, root.join(UNNAMED), root.join(bucket)] {
            fs::create_dir_all(folder)?;
        }
        sync(root)?;
        Ok(Self { root: root.to_owned(), bucket: bucket.to_owned() })
    }

    /// A new file to write into.
    pub fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING).join(Uuid::new_v4().simple().to_string())
    }

    /// Moves a written and synced file to its place, durably; answers the place relative to the root.
    pub fn place(&self, incoming: &Path, key: &str) -> io::Result<String> {
        if let Some(named) = self.named(key)
            && self.moved(incoming, &named)?
        {
            return Ok(self.relative(&named));
        }
        let unnamed = self.root.join(UNNAMED).join(Uuid::new_v4().simple().to_string());
        fs::rename(incoming, &unnamed)?;
        sync(&self.root.join(UNNAMED))?;
        Ok(self.relative(&unnamed))
    }

    /// Moves without ever replacing a file: the bytes of a standing object stay whole until its row is gone.
    fn moved(&self, incoming: &Path, named: &Path) -> io::Result<bool> {
        let Some(folder) = named.parent() else { return Ok(false) };
        match fs::create_dir_all(folder).and_then(|()| fs::hard_link(incoming, named)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(error),
            // The name is taken, a folder, or too long.
            Err(_) => return Ok(false),
        }
        fs::remove_file(incoming)?;
        // The entry of a new folder lies in its parent.
        let mut folder = Some(folder);
        while let Some(path) = folder {
            sync(path)?;
            if path == self.root {
                break;
            }
            folder = path.parent();
        }
        Ok(true)
    }

    fn named(&self, key: &str) -> Option<PathBuf> {
        let path = Path::new(key);
        let plain = !key.is_empty()
            && !key.ends_with('/')
            && !key.contains("//")
            && path.components().all(|c| matches!(c, Component::Normal(n) if !n.to_string_lossy().starts_with('.')));
        plain.then(|| self.root.join(&self.bucket).join(path))
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// The full path of what [`Files::place`] answered.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Removes bytes that no row names any more; a leftover is harmless.
    pub fn remove(&self, relative: &str) {
        if let Err(error) = fs::remove_file(self.path(relative)) {
            tracing::warn!(file = relative, %error, "a file of a removed object stays");
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `path` to be written.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).open(path)
}
