//! The key of the keyed hashes: `ERASURE_KEY`, or one made at random and kept in the bucket.

use std::fmt;

use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::{ErasureError, Kind, Person};

/// Where the key stands, or the mark by which another `ERASURE_KEY` is noticed.
const OBJECT: &str = "erasures/key.json";
/// Shortest `ERASURE_KEY`, characters.
const SHORTEST: usize = 32;

/// The key. With it one can tell whether an id is forgotten, and sign receipts; without it hashes say nothing.
#[derive(Clone)]
pub struct ErasureKey(Hmac<Sha256>);

impl fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErasureKey(…)")
    }
}

/// What the object says: the key itself where the bucket keeps it, and a mark of the key in any case.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    mark: String,
}

impl ErasureKey {
    /// The key made of `secret`.
    pub fn new(secret: &[u8]) -> Self {
        // HMAC takes keys of any length.
        Self(Hmac::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default())))
    }

    /// `setting` (`ERASURE_KEY`) if there is one, else the bucket's own, which the first to ask makes.
    ///
    /// # Errors
    /// [`ErasureError::Key`] if the setting is too short or not the key that the bucket's tombstones were made with.
    pub async fn open(objects: &SharedObjects, setting: Option<&str>) -> Result<Self, ErasureError> {
        if let Some(secret) = setting
            && secret.chars().count() < SHORTEST
        {
            return Err(ErasureError::Key(format!("a key has {SHORTEST} characters or more")));
        }
        let kept = match objects.get(OBJECT).await {
            Ok((_, bytes)) => read(&bytes)?,
            Err(ObjectError::NotFound(_)) => make(objects, setting).await?,
            Err(error) => return Err(error.into()),
        };
        let secret = match (setting, &kept.key) {
            (Some(secret), _) => secret,
            (None, Some(own)) => own,
            (None, None) => {
                return Err(ErasureError::Key("tombstones were made with a key that is not in the bucket: set ERASURE_KEY to it".into()));
            }
        };
        let key = Self::new(secret.as_bytes());
        if key.mark() == kept.mark {
            return Ok(key);
        }
        Err(ErasureError::Key(format!(
            "tombstones were made with another key: set the one that was first used with this bucket ({OBJECT} keeps its mark)"
        )))
    }

    /// The keyed hash of a person's id, hexadecimal.
    pub fn hash(&self, site: &str, person: &Person) -> String {
        hex(&self.digest(site, person.kind(), person.id()))
    }

    /// The keyed hash of an id: of its kind, the site's length and name, and the id.
    pub(crate) fn digest(&self, site: &str, kind: Kind, id: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(kind.as_str().as_bytes());
        mac.update(&(site.len() as u32).to_le_bytes());
        mac.update(site.as_bytes());
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The signature of `body`, hexadecimal.
    pub fn sign(&self, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(b"receipt\0");
        mac.update(body);
        hex(&mac.finalize().into_bytes())
    }

    /// True if `signature` is that of `body`; takes as long for any wrong one.
    pub fn verifies(&self, body: &[u8], signature: &str) -> bool {
        let Some(signature) = unhex(signature) else { return false };
        let mut mac = self.0.clone();
        mac.update(b"receipt\0");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    }

    fn mark(&self) -> String {
        let mut mac = self.0.clone();
        mac.update(b"mark\0");
        hex(&mac.finalize().into_bytes())
    }
}

/// Makes the object once; whoever comes second takes what the first made.
async fn make(objects: &SharedObjects, setting: Option<&str>) -> Result<Kept, ErasureError> {
    let own = setting.is_none().then(|| format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()));
    let secret = setting.or(own.as_deref()).unwrap_or_default();
    let kept = Kept { mark: ErasureKey::new(secret.as_bytes()).mark(), key: own.clone() };
    let bytes = serde_json::to_vec(&kept).map_err(|e| ErasureError::Damaged { key: OBJECT.into(), why: e.to_string() })?;
    let options = PutOptions {
        condition: Condition::Absent,
        content_type: Some("application/json".to_owned()),
        metadata: std::collections::BTreeMap::new(),
    };
    match objects.put(OBJECT, bytes.into(), options).await {
        Ok(_) => Ok(kept),
        Err(ObjectError::PreconditionFailed(_)) => read(&objects.get(OBJECT).await?.1),
        Err(error) => Err(error.into()),
    }
}

fn read(bytes: &[u8]) -> Result<Kept, ErasureError> {
    serde_json::from_slice(bytes).map_err(|e| ErasureError::Damaged { key: OBJECT.to_owned(), why: e.to_string() })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
