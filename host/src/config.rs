//! One typed configuration, read once.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clickstream_compact::{CompactOptions, LakeSettings, LakeSettingsError};
use clickstream_event::VisitorSecret;
use clickstream_lake::{LakeDays, LakeDaysError};
use clickstream_objects::s3::{S3Config, S3ConfigError};
use clickstream_retention::{RawExpiry, RetentionSettings, RetentionSettingsError};
use clickstream_sites::{SettingsError, SitesFileError, SitesSetting, visitor_secret};
use ipnet::IpNet;

use crate::{cli::Up, http::SigningKey, servers::Servers, traces::TraceSettings};

/// What `up` runs with.
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// `ADMIN_TOKEN`: what reads and changes must show. None: reads are open on loopback.
    pub admin_token: Option<String>,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` and country headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `SITES`: `site:key` pairs; or `SITES_FILE`: a file or object that names the sites.
    pub sites: SitesSetting,
    /// `COOKIELESS_SECRET`: what ids of cookieless sites are made with. None: one of the data folder's own.
    pub cookieless_secret: Option<VisitorSecret>,
    /// `INVOKE_ACCESS_KEY_ID` and `INVOKE_SECRET_ACCESS_KEY`: keys of AWS's clients that may invoke functions.
    pub signing_keys: Vec<SigningKey>,
    /// Servers in place of embedded parts.
    pub servers: Servers,
    /// `SETUP`: servers are set up at every start.
    pub set_up: bool,
    /// `WORK`: false on a host that takes and answers requests alone, while others that share its servers do the work.
    pub work: bool,
    /// `SCHEDULE`: false where Airflow or another scheduler invokes what goes by the clock.
    pub schedule: bool,
    /// `COMPACT_INTERVAL`: seconds between compactions.
    pub compact_interval: Duration,
    /// `COMPACT_MEMORY`: what a compaction may use.
    pub compact: CompactOptions,
    /// `LAND_WINDOW_MS`: how long land gathers a batch.
    pub land_window: Duration,
    /// `LOG_PARTITIONS`: partitions of topic events.
    pub partitions: u32,
    /// `CHDB_LIB`: libchdb.
    pub chdb_lib: PathBuf,
    /// `LOG_RETENTION_DAYS`, once landed and stored.
    pub log_days: u32,
    /// `EVENT_RETENTION_DAYS` of the event store.
    pub event_days: u32,
    /// `RAW_RETENTION_DAYS`, `RAW_EXPIRY`, `INBOX_RETENTION_DAYS`, `QUARANTINE_RETENTION_DAYS`, `LAKE_DAYS`: bucket, lake and
    /// ClickHouse.
    pub retention: RetentionSettings,
    /// `ERASURE_KEY`: what ids of erased people are hashed and receipts signed with. None: a key that the bucket keeps.
    pub erasure_key: Option<String>,
    /// `LAKE_FILE_MB`, `MERGE_MEMORY_MB`, `LAKE_RETENTION_DAYS`: merges and vacuums of the lake.
    pub lake: LakeSettings,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` and others: where traces go. None: nowhere, and none are taken.
    pub traces: Option<TraceSettings>,
}

/// A variable with a value that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The value is wrong.
    #[error("{name}={value:?} is wrong: {right}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        right: &'static str,
    },
    /// An open door.
    #[error(
        "listening on {0} would let anyone read the reports: set ADMIN_TOKEN (16 characters or more), or listen on a loopback address such as 127.0.0.1:8080"
    )]
    TokenMissing(SocketAddr),
    /// Nobody would do the work.
    #[error("WORK=off leaves the work to other hosts, and {0} is not set: a part of this host's own is no other host's to work on")]
    WorkIsNobodys(&'static str),
    /// `SITES`, `SITES_FILE` or `COOKIELESS_SECRET` is wrong.
    #[error(transparent)]
    Sites(#[from] SettingsError),
    /// The sites file is missing or wrong.
    #[error(transparent)]
    SitesFile(#[from] SitesFileError),
    /// A setting of the lake is wrong.
    #[error(transparent)]
    Lake(#[from] LakeSettingsError),
    /// `OBJECTS_URL` is wrong.
    #[error(transparent)]
    Objects(#[from] S3ConfigError),
    /// A setting of retention is wrong.
    #[error(transparent)]
    Retention(#[from] RetentionSettingsError),
    /// `LAKE_DAYS` is wrong.
    #[error(transparent)]
    LakeDays(#[from] LakeDaysError),
    /// Tags that nothing would keep.
    #[error(
        "RAW_EXPIRY=tag waits for a rule of a bucket on a server, and OBJECTS_URL is not set: the embedded bucket keeps no tags; set RAW_EXPIRY=delete"
    )]
    NoTags,
}

fn variable<T>(name: &'static str, default: T, right: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => parse(&value).ok_or(ConfigError::Wrong { name, value, right }),
        _ => Ok(default),
    }
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn number<T: std::str::FromStr + PartialOrd>(low: T, high: T) -> impl Fn(&str) -> Option<T> {
    move |text| text.parse().ok().filter(|n| *n >= low && *n <= high)
}

impl Config {
    /// The configuration from the command line and the environment.
    pub fn from_env(data: &Path, options: &Up) -> Result<Self, ConfigError> {
        let admin_token =
            variable("ADMIN_TOKEN", None, "a token has 16 characters or more", |t| (t.len() >= 16).then(|| Some(t.to_owned())))?;
        if admin_token.is_none() && !options.listen.ip().is_loopback() {
            return Err(ConfigError::TokenMissing(options.listen));
        }
        let (servers, work) = (servers()?, variable("WORK", true, "on or off", on_or_off)?);
        if let Some(embedded) = servers.embedded().filter(|_| !work) {
            return Err(ConfigError::WorkIsNobodys(embedded));
        }
        Ok(Self {
            data: data.to_owned(),
            listen: options.listen,
            admin_token,
            trusted_proxies: variable("TRUSTED_PROXIES", Vec::new(), "networks such as 10.0.0.0/8,192.168.1.1/32", |t| {
                t.split(',').map(|n| n.trim().parse().ok()).collect()
            })?,
            sites: sites()?,
            cookieless_secret: visitor_secret()?,
            signing_keys: signing_keys()?,
            work,
            schedule: variable("SCHEDULE", true, "on or off", on_or_off)?,
            set_up: variable("SETUP", false, "on or off", on_or_off)?,
            compact_interval: Duration::from_secs(variable("COMPACT_INTERVAL", 120, "seconds from 5 to 86400", number(5, 86_400))?),
            compact: variable("COMPACT_MEMORY", CompactOptions::default(), CompactOptions::RIGHT, CompactOptions::parse)?,
            land_window: Duration::from_millis(variable("LAND_WINDOW_MS", 1_000, "milliseconds from 10 to 300000", number(10, 300_000))?),
            partitions: variable("LOG_PARTITIONS", 2, "a number from 1 to 64", number(1, 64))?,
            chdb_lib: chdb_lib()?,
            log_days: variable("LOG_RETENTION_DAYS", 7, "days from 1 to 3650", number(1, 3650))?,
            event_days: variable("EVENT_RETENTION_DAYS", 400, "days from 1 to 36500", number(1, 36_500))?,
            retention: retention(&servers)?,
            erasure_key: variable("ERASURE_KEY", None, "a key has 32 characters or more", |t| (t.len() >= 32).then(|| Some(t.to_owned())))?,
            lake: LakeSettings::from_env()?,
            traces: TraceSettings::from_env()?,
            servers,
        })
    }

    /// The configuration as a person reads it; secrets are not shown.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        let (sites, sites_file) = match &self.sites {
            SitesSetting::Fixed(sites) => (sites.iter().map(|s| s.site_id.clone()).collect(), String::new()),
            SitesSetting::Written(place) => (Vec::new(), place.to_string()),
        };
        let secret = if self.cookieless_secret.is_some() { "(set)" } else { "(not set: the data folder's own)" };
        let proxies: Vec<_> = self.trusted_proxies.iter().map(ToString::to_string).collect();
        let embedded = |url: Option<&str>| url.map_or_else(|| "(embedded)".to_owned(), without_password);
        let objects = self.servers.objects.as_ref().map(|objects| {
            let at = objects.endpoint.as_ref().map_or_else(String::new, |endpoint| format!("?endpoint={endpoint}"));
            format!("s3://{}{at}", objects.bucket)
        });
        let rows: [(&str, String); 26] = [
            ("DATA", self.data.display().to_string()),
            ("LISTEN", self.listen.to_string()),
            ("ADMIN_TOKEN", if self.admin_token.is_some() { "(set)" } else { "(not set: reads are open on loopback)" }.to_owned()),
            ("TRUSTED_PROXIES", proxies.join(",")),
            ("SITES", sites.join(",")),
            ("SITES_FILE", sites_file),
            ("COOKIELESS_SECRET", secret.to_owned()),
            ("INVOKE_ACCESS_KEY_ID", self.signing_keys.iter().map(|key| key.id.clone()).collect()),
            ("LOG_URL", embedded(self.servers.log.as_deref())),
            ("STORE_URL", embedded(self.servers.store.as_deref())),
            ("OBJECTS_URL", embedded(objects.as_deref())),
            ("WAREHOUSE_URL", embedded(self.servers.warehouse.as_deref())),
            ("NOTIFICATIONS_ARN", self.servers.notifications_arn.clone().unwrap_or_default()),
            ("NOTIFICATIONS_TOPIC", self.servers.notifications_topic.clone().unwrap_or_default()),
            ("NOTIFICATIONS_TOKEN", if self.servers.notifications_token.is_some() { "(set)" } else { "(not set)" }.to_owned()),
            ("SETUP", if self.set_up { "on" } else { "off" }.to_owned()),
            ("WORK", if self.work { "on" } else { "off" }.to_owned()),
            ("SCHEDULE", if self.schedule { "on" } else { "off" }.to_owned()),
            ("COMPACT_INTERVAL", format!("{} s", self.compact_interval.as_secs())),
            ("COMPACT_MEMORY", format!("{} MiB", self.compact.memory >> 20)),
            ("LAND_WINDOW_MS", self.land_window.as_millis().to_string()),
            ("LOG_PARTITIONS", self.partitions.to_string()),
            ("CHDB_LIB", self.chdb_lib.display().to_string()),
            ("LOG_RETENTION_DAYS", self.log_days.to_string()),
            ("EVENT_RETENTION_DAYS", self.event_days.to_string()),
            ("ERASURE_KEY", if self.erasure_key.is_some() { "(set)" } else { "(not set: the bucket's own)" }.to_owned()),
        ];
        let more = self.lake.describe().into_iter().chain(self.retention.describe()).chain(TraceSettings::describe(self.traces.as_ref()));
        for (name, value) in rows.into_iter().chain(more) {
            let from = if std::env::var(name).is_ok_and(|v| !v.is_empty()) { "environment" } else { "default or option" };
            let _ = writeln!(text, "{name:<28}{value:<48}{from}");
        }
        text
    }
}

/// How long bucket, lake and ClickHouse keep what they have.
fn retention(servers: &Servers) -> Result<RetentionSettings, ConfigError> {
    let settings = RetentionSettings { lake_days: LakeDays::from_env()?, ..RetentionSettings::from_env(RawExpiry::Delete)? };
    if settings.raw_expiry == RawExpiry::Tag && servers.objects.is_none() {
        return Err(ConfigError::NoTags);
    }
    Ok(settings)
}

/// The key of AWS's clients.
fn signing_keys() -> Result<Vec<SigningKey>, ConfigError> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (given("INVOKE_ACCESS_KEY_ID"), given("INVOKE_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) if secret.len() >= 16 => Ok(vec![SigningKey { id, secret }]),
        (None, None) => Ok(Vec::new()),
        (id, _) => Err(ConfigError::Wrong {
            name: "INVOKE_SECRET_ACCESS_KEY",
            value: "(not shown)".to_owned(),
            right: if id.is_some() { "a secret of 16 characters or more" } else { "it goes with INVOKE_ACCESS_KEY_ID" },
        }),
    }
}

/// Which parts are servers. Addresses are read here, so that with a wrong one nothing is started.
pub fn servers() -> Result<Servers, ConfigError> {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let scheme = |name: &'static str, schemes: &'static [&'static str], right: &'static str| {
        let url = given(name);
        match &url {
            Some(url) if !schemes.iter().any(|scheme| url.starts_with(scheme)) => {
                Err(ConfigError::Wrong { name, value: without_password(url), right })
            }
            _ => Ok(url),
        }
    };
    Ok(Servers {
        log: scheme("LOG_URL", &["kafka://"], "kafka://HOST:9092,… names brokers; without it the log is embedded")?,
        store: scheme("STORE_URL", &["scylla://"], "scylla://HOST:9042,…/KEYSPACE names nodes; without it the event store is embedded")?,
        objects: given("OBJECTS_URL").map(|url| S3Config::from_url(&url)).transpose()?,
        warehouse: scheme(
            "WAREHOUSE_URL",
            &["http://", "https://"],
            "http://USER:PASSWORD@HOST:8123/DATABASE names ClickHouse; without it ClickHouse is embedded",
        )?,
        expires_by_tag: RawExpiry::from_env(RawExpiry::Delete)? == RawExpiry::Tag,
        notifications_arn: given("NOTIFICATIONS_ARN"),
        notifications_topic: given("NOTIFICATIONS_TOPIC"),
        notifications_token: variable("NOTIFICATIONS_TOKEN", None, "a token has 16 characters or more", |t| {
            (t.len() >= 16).then(|| Some(t.to_owned()))
        })?,
    })
}

/// An address as it may be shown.
pub fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

/// Where the sites are named. A file is read once here: with a wrong one nothing is started.
fn sites() -> Result<SitesSetting, ConfigError> {
    let setting = SitesSetting::from_env()?;
    if let SitesSetting::Written(place) = &setting {
        place.check()?;
    }
    Ok(setting)
}

const IN_TARGET: &str = "deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so";

/// `CHDB_LIB`: libchdb.
pub fn chdb_lib() -> Result<PathBuf, ConfigError> {
    variable("CHDB_LIB", default_chdb(), "the path of libchdb.so", |t| Some(PathBuf::from(t)))
}

/// libchdb beside the binary (`lib/`), or where `make` puts it in a checkout.
fn default_chdb() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| {
        let folder = exe.parent()?;
        let candidates = [folder.join("lib/libchdb.so"), folder.join("..").join(IN_TARGET)];
        candidates.into_iter().find(|c| c.exists())
    });
    beside.unwrap_or_else(|| Path::new("target").join(IN_TARGET))
}
