//! Which of several hosts does what one is enough for: a lease in the bucket, taken by conditional writes.
//!
//! It saves work and promises nothing: a host that stood still may go on after another took over, so what is done under
//! a lease must be safe when two do it at once.

use std::time::Duration;

use clickstream_event::Micros;
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One host's view of a lease.
pub struct Lease {
    objects: SharedObjects,
    key: String,
    host: Uuid,
}

/// What stands in the bucket.
#[derive(Serialize, Deserialize)]
struct Held {
    host: Uuid,
    until: Micros,
}

impl Lease {
    /// The lease for the work `name`.
    pub fn new(objects: SharedObjects, name: &str) -> Self {
        Self { objects, key: format!("leases/{name}.json"), host: Uuid::new_v4() }
    }

    /// True if this host has it, for `length` from now.
    ///
    /// # Errors
    /// Those of the bucket.
    pub async fn take(&self, length: Duration) -> Result<bool, ObjectError> {
        let now = Micros::now();
        let condition = match self.objects.get(&self.key).await {
            Err(ObjectError::NotFound(_)) => Condition::Absent,
            Err(error) => return Err(error),
            Ok((info, bytes)) => match serde_json::from_slice::<Held>(&bytes) {
                Ok(held) if held.host != self.host && held.until > now => return Ok(false),
                _ => Condition::Matches(info.etag),
            },
        };
        let held = Held { host: self.host, until: now.plus(length.as_micros() as i64) };
        let text = serde_json::to_vec(&held).map_err(|error| ObjectError::Refused(error.to_string()))?;
        match self.objects.put(&self.key, text.into(), PutOptions { condition, ..PutOptions::default() }).await {
            Ok(_) => Ok(true),
            Err(ObjectError::PreconditionFailed(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use clickstream_objects::{embedded::EmbeddedS3, s3::S3Objects};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn one_host_has_it_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let s3 = EmbeddedS3::start(folder.path(), "clickstream").await.unwrap();
        let objects: SharedObjects = Arc::new(S3Objects::connect(s3.config()).await);
        let hosts = [(); 4].map(|()| Lease::new(Arc::clone(&objects), "work"));
        let taken = futures::future::join_all(hosts.iter().map(|host| host.take(Duration::from_mins(1)))).await;
        let [holder] = (0..hosts.len()).filter(|n| *taken[*n].as_ref().unwrap()).collect::<Vec<_>>()[..] else { panic!("{taken:?}") };
        let other = &hosts[(holder + 1) % hosts.len()];
        assert!(hosts[holder].take(Duration::ZERO).await.unwrap(), "it may be renewed");
        assert!(other.take(Duration::from_mins(1)).await.unwrap(), "it has ended");
        assert!(!hosts[holder].take(Duration::from_mins(1)).await.unwrap(), "it is another's");
        s3.shutdown().await;
    }
}
