//! The sites: read before anything is served, and looked at from then on.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clickstream_event::VisitorSecret;
use clickstream_sites::LiveSites;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::Parts;
use crate::config::Config;

/// How often the sites file is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// The data folder's secret for ids of cookieless sites.
const SECRET: &str = "cookieless.secret";

/// The sites that the configuration names.
pub async fn open(config: &Config, parts: &Parts) -> anyhow::Result<LiveSites> {
    let secret = match &config.cookieless_secret {
        Some(secret) => secret.clone(),
        None => own_secret(&config.data.join(SECRET)).with_context(|| format!("{SECRET} of the data folder cannot be used"))?,
    };
    Ok(LiveSites::open_waiting(config.sites.clone(), Some(Arc::clone(&parts.objects)), Some(secret)).await?)
}

/// Looks at the sites file from now on.
pub fn follow(sites: &Arc<LiveSites>, stop: &CancellationToken, work: &TaskTracker) {
    if sites.place().is_none() {
        return;
    }
    let (sites, stop) = (Arc::clone(sites), stop.clone());
    work.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(EVERY) => {}
            }
            sites.look().await;
        }
    });
}

/// The secret in the file `path`, which only its owner reads; made at random where there is none.
fn own_secret(path: &Path) -> io::Result<VisitorSecret> {
    match fs::read(path) {
        Ok(secret) if secret.len() >= 32 => Ok(VisitorSecret::new(&secret)),
        Ok(_) => Err(io::Error::other("it is cut: remove it, and today's visitors of cookieless sites count anew")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(secret.as_bytes())?;
            file.sync_all()?;
            Ok(VisitorSecret::new(secret.as_bytes()))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use clickstream_event::Micros;

    use super::*;

    #[test]
    fn a_folder_has_one_secret_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SECRET);
        let id = |secret: VisitorSecret| secret.visitor_id(Micros(0), "shop", None, Some("Firefox"));
        let first = id(own_secret(&path).unwrap());
        assert_eq!(id(own_secret(&path).unwrap()), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "cut").unwrap();
        assert!(own_secret(&path).unwrap_err().to_string().contains("remove it"));
    }
}
