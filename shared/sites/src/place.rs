//! What `SITES_FILE` names, and reading it.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clickstream_objects::{ObjectError, SharedObjects};

use crate::SitesFileError;

/// Largest file, bytes: ten thousand sites fit.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
/// An editor may write a file in pieces: it is taken once it stays the same for this long.
const AT_REST: Duration = Duration::from_millis(50);

/// A file, or an object of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine.
    File(PathBuf),
    /// The object under this key.
    Object(String),
}

impl Place {
    /// Reads a path, or `object:KEY`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("object:") {
            Some(key) => (!key.is_empty() && !key.starts_with('/')).then(|| Self::Object(key.to_owned())),
            None => Some(Self::File(PathBuf::from(text))),
        }
    }

    /// What stands there; none if that is what was `seen` before.
    pub(crate) async fn read(
        &self,
        objects: Option<&SharedObjects>,
        seen: Option<&Seen>,
    ) -> Result<Option<(Seen, String)>, SitesFileError> {
        match (self, objects) {
            (Self::File(path), _) => self.read_file(path, seen).await,
            (Self::Object(key), Some(objects)) => self.read_object(objects, key, seen).await,
            (Self::Object(_), None) => Err(self.unreadable("there is no bucket here")),
        }
    }

    async fn read_file(&self, path: &Path, seen: Option<&Seen>) -> Result<Option<(Seen, String)>, SitesFileError> {
        let mut found = self.load(path).await?;
        if seen == Some(&Seen::of(&found)) {
            return Ok(None);
        }
        loop {
            tokio::time::sleep(AT_REST).await;
            let again = self.load(path).await?;
            if again == found {
                break;
            }
            found = again;
        }
        let text = self.text(found)?;
        Ok(Some((Seen::of(text.as_bytes()), text)))
    }

    async fn load(&self, path: &Path) -> Result<Vec<u8>, SitesFileError> {
        let owned = path.to_owned();
        let read = tokio::task::spawn_blocking(move || load(&owned)).await;
        read.map_err(|e| self.unreadable(e))?.map_err(|error| self.of_io(&error))
    }

    fn of_io(&self, error: &io::Error) -> SitesFileError {
        match error.kind() {
            ErrorKind::NotFound => SitesFileError::Missing(self.clone()),
            _ => self.unreadable(error),
        }
    }

    async fn read_object(&self, objects: &SharedObjects, key: &str, seen: Option<&Seen>) -> Result<Option<(Seen, String)>, SitesFileError> {
        let failed = |error: ObjectError| match error {
            ObjectError::NotFound(_) => SitesFileError::Missing(self.clone()),
            other => self.unreadable(other),
        };
        let info = objects.head(key).await.map_err(failed)?;
        if seen == Some(&Seen::ETag(info.etag)) {
            return Ok(None);
        }
        if info.size > MAX_FILE_BYTES {
            return Err(self.unreadable(too_large()));
        }
        let (info, bytes) = objects.get(key).await.map_err(failed)?;
        Ok(Some((Seen::ETag(info.etag), self.text(bytes.into())?)))
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, SitesFileError> {
        String::from_utf8(bytes).map_err(|e| SitesFileError::Wrong {
            place: self.clone(),
            why: format!("it is not UTF-8: byte {} is wrong", e.utf8_error().valid_up_to()),
        })
    }

    fn unreadable(&self, why: impl fmt::Display) -> SitesFileError {
        SitesFileError::Unreadable { place: self.clone(), why: why.to_string() }
    }

    /// The sites that a file names now; for a check before anything is started.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is wrong. An object cannot be read before the bucket is: it is taken as right.
    pub fn check(&self) -> Result<(), SitesFileError> {
        let Self::File(path) = self else { return Ok(()) };
        let text = self.text(load(path).map_err(|error| self.of_io(&error))?)?;
        match clickstream_event::Sites::from_toml(&text) {
            Ok(_) => Ok(()),
            Err(error) => Err(SitesFileError::Wrong { place: self.clone(), why: error.to_string() }),
        }
    }
}

fn load(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(io::Error::other(too_large())) } else { Ok(bytes) }
}

fn too_large() -> String {
    format!("it takes more than {} MiB", MAX_FILE_BYTES >> 20)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object(key) => write!(f, "object:{key}"),
        }
    }
}

/// What tells one version of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Of a file's bytes: times of files are too coarse, and links move.
    Hash(u64),
    /// Of an object.
    ETag(String),
}

impl Seen {
    fn of(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self::Hash(hasher.finish())
    }
}
