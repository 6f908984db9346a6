//! Sites that follow what is written down.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use clickstream_event::{Micros, Sites, VisitorSecret};
use clickstream_objects::SharedObjects;
use clickstream_telemetry::metric;

use crate::{Place, SitesFileError, SitesSetting, place::Seen};

/// Least time between two looks of a Lambda.
const BETWEEN_INVOCATIONS: Duration = Duration::from_mins(1);
/// How long an invocation may be held up by a look.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the sites stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// When what holds now was read; none if nothing was yet.
    pub read_at: Option<Micros>,
    /// Why what is written down now is not what holds; none if it is.
    pub error: Option<String>,
}

/// The sites of a running service.
pub struct LiveSites {
    setting: SitesSetting,
    objects: Option<SharedObjects>,
    secret: Option<VisitorSecret>,
    sites: Sites,
    found: Mutex<Found>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
}

/// What the looks found.
struct Found {
    /// What was read last, used or not.
    seen: Option<Seen>,
    /// When what holds was read.
    read_at: Option<Micros>,
    /// Why what was read last is not used.
    wrong: Option<String>,
    /// Why it cannot be read now.
    unreadable: Option<String>,
    looked_at: Instant,
}

impl LiveSites {
    /// The sites that `setting` names; `objects` is the bucket where it names an object, `secret` makes the ids of
    /// cookieless sites.
    ///
    /// # Errors
    /// What is written down is not there, cannot be read, or is wrong: nothing should be started with it.
    pub async fn open(
        setting: SitesSetting,
        objects: Option<SharedObjects>,
        secret: Option<VisitorSecret>,
    ) -> Result<Self, SitesFileError> {
        let live = Self::new(setting, objects, secret);
        live.read_again().await?;
        live.report();
        Ok(live)
    }

    /// As [`LiveSites::open`], but an object may still come: until then there is no site.
    pub async fn open_waiting(
        setting: SitesSetting,
        objects: Option<SharedObjects>,
        secret: Option<VisitorSecret>,
    ) -> Result<Self, SitesFileError> {
        let live = Self::new(setting, objects, secret);
        match live.read_again().await {
            Err(error @ SitesFileError::Missing(Place::Object(_))) => {
                tracing::warn!("{error}; until then there is no site");
                live.found().unreadable = Some(error.to_string());
            }
            read => read.map(drop)?,
        }
        live.report();
        Ok(live)
    }

    fn new(setting: SitesSetting, objects: Option<SharedObjects>, secret: Option<VisitorSecret>) -> Self {
        let sites = match &setting {
            SitesSetting::Fixed(sites) => sites.clone(),
            SitesSetting::Written(_) => Sites::new(Vec::new()),
        };
        let found = Found { seen: None, read_at: None, wrong: None, unreadable: None, looked_at: Instant::now() };
        Self { setting, objects, secret, sites, found: Mutex::new(found), looking: tokio::sync::Mutex::new(()) }
    }

    /// The sites: a handle that sees every change.
    pub fn sites(&self) -> Sites {
        self.sites.clone()
    }

    /// Where they are written down; none if they are fixed.
    pub fn place(&self) -> Option<&Place> {
        match &self.setting {
            SitesSetting::Fixed(_) => None,
            SitesSetting::Written(place) => Some(place),
        }
    }

    /// How they stand.
    pub fn state(&self) -> State {
        let found = self.found();
        State { read_at: found.read_at, error: found.error() }
    }

    /// Looks whether something else is written down now, and takes it if it is right.
    pub async fn look(&self) {
        if self.place().is_none() {
            return;
        }
        let _one = self.looking.lock().await;
        let before = self.found().error();
        let changed = match self.read_again().await {
            Ok(changed) => {
                self.found().unreadable = None;
                changed
            }
            Err(error @ SitesFileError::Wrong { .. }) => {
                let mut found = self.found();
                (found.wrong, found.unreadable) = (Some(error.to_string()), None);
                false
            }
            Err(error) => {
                self.found().unreadable = Some(error.to_string());
                false
            }
        };
        let now = self.found().error();
        match &now {
            Some(error) if now != before => tracing::error!(%error, "the sites stay as they were read last"),
            None if changed => tracing::info!(sites = self.sites.iter().count(), "sites are read again"),
            None if before.is_some() => tracing::info!("the sites file is as it was read last"),
            _ => {}
        }
        self.report();
    }

    /// [`LiveSites::look`] before an invocation of a function that has no clock of its own, once a minute at most.
    pub async fn before_invocation(&self) {
        let looked_at = self.found().looked_at;
        if looked_at.elapsed() >= BETWEEN_INVOCATIONS && tokio::time::timeout(PATIENCE, self.look()).await.is_err() {
            tracing::warn!("what SITES_FILE names does not answer; the sites stay as they were read last");
        }
    }

    /// Reads what is written down and takes it; true if that is something new.
    async fn read_again(&self) -> Result<bool, SitesFileError> {
        let Some(place) = self.place() else { return Ok(false) };
        let seen = {
            let mut found = self.found();
            found.looked_at = Instant::now();
            found.seen.clone()
        };
        let Some((seen, text)) = place.read(self.objects.as_ref(), seen.as_ref()).await? else { return Ok(false) };
        self.found().seen = Some(seen);
        let read = self.understand(&text).map_err(|why| SitesFileError::Wrong { place: place.clone(), why })?;
        self.sites.replace(read);
        let mut found = self.found();
        (found.read_at, found.wrong) = (Some(Micros::now()), None);
        Ok(true)
    }

    /// The sites of a text, as they would hold here.
    pub fn understand(&self, text: &str) -> Result<Sites, String> {
        let sites = Sites::from_toml(text).map_err(|error| error.to_string())?;
        match (&self.secret, sites.iter().find(|site| site.cookieless)) {
            (Some(secret), _) => Ok(sites.with_visitor_secret(secret)),
            (None, None) => Ok(sites),
            (None, Some(site)) => Err(format!(
                "site {:?} is cookieless, and that needs COOKIELESS_SECRET: 16 characters or more, the same everywhere",
                site.site_id
            )),
        }
    }

    fn report(&self) {
        if self.place().is_some() {
            let ok = self.found().error().is_none();
            metrics::gauge!(metric::SITES_FILE_OK).set(f64::from(u8::from(ok)));
            metrics::gauge!(metric::SITES).set(self.sites.iter().count() as f64);
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn error(&self) -> Option<String> {
        self.unreadable.clone().or_else(|| self.wrong.clone())
    }
}
