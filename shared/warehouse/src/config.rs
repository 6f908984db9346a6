//! Where ClickHouse is.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::WarehouseError;

/// The database where none is named.
pub const DEFAULT_DATABASE: &str = "clickstream";

/// How to reach ClickHouse's HTTP interface.
#[derive(Clone)]
pub struct WarehouseConfig {
    /// Scheme, host and port, without credentials: `http://127.0.0.1:8123`.
    pub url: String,
    /// The user; none means `default`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// The database that holds our tables; `migrate` makes it if it is missing.
    pub database: String,
    /// Whether blocks are compressed on their way.
    pub compress: bool,
}

impl std::fmt::Debug for WarehouseConfig {
    /// Leaves the password out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarehouseConfig")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl WarehouseConfig {
    /// Reads `http[s]://[user:password@]host:port[/database]`; the database may stand in `?database=` as well. `?compress=0` is for
    /// a server that `clickstream clickhouse` serves on a network: it speaks no compression, which is off on loopback anyway.
    pub fn from_url(text: &str) -> Result<Self, WarehouseError> {
        let wrong = |why: String| {
            WarehouseError::Operator(format!("WAREHOUSE_URL is wrong: {why}; right would be http://user:password@host:8123/clickstream"))
        };
        let mut url = Url::parse(text).map_err(|e| wrong(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(format!("scheme {:?} is neither http nor https", url.scheme())));
        }
        let decoded = |s: &str| percent_decode_str(s).decode_utf8_lossy().into_owned();
        let user = Some(decoded(url.username())).filter(|u| !u.is_empty());
        let password = url.password().map(decoded);
        let path = decoded(url.path().trim_matches('/'));
        let named = url.query_pairs().find(|(name, _)| name == "database").map(|(_, value)| value.into_owned());
        let database = named.unwrap_or(if path.is_empty() { DEFAULT_DATABASE.to_owned() } else { path });
        if !is_identifier(&database) {
            return Err(wrong(format!("database {database:?} has characters other than letters, digits and _")));
        }
        let asked = url.query_pairs().find(|(name, _)| name == "compress").map(|(_, value)| value.into_owned());
        let compress = match asked.as_deref() {
            None => !is_loopback(&url),
            Some("0") => false,
            Some("1") => true,
            Some(other) => return Err(wrong(format!("compress={other:?} is neither 0 nor 1"))),
        };
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| wrong("it has no host".to_owned()))?;
        url.set_path("");
        url.set_query(None);
        Ok(Self { url: url.to_string(), user, password, database, compress })
    }
}

/// True where the server is on this machine: compressing what passes over loopback costs more than it saves.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// True for a name that needs no quoting in SQL.
pub(crate) fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_everything() {
        let config = WarehouseConfig::from_url("http://me:p%40ss@127.0.0.1:8123/shop").unwrap();
        assert_eq!((config.url.as_str(), config.database.as_str()), ("http://127.0.0.1:8123/", "shop"));
        assert_eq!((config.user.as_deref(), config.password.as_deref()), (Some("me"), Some("p@ss")));
        assert!(!config.compress, "over loopback");
        assert!(!format!("{config:?}").contains("p@ss"));
        assert_eq!(WarehouseConfig::from_url("http://h:1/?database=d").unwrap().database, "d");
        assert_eq!(WarehouseConfig::from_url("https://ch.example").unwrap().database, DEFAULT_DATABASE);
        assert!(WarehouseConfig::from_url("https://ch.example").unwrap().compress);
        assert!(!WarehouseConfig::from_url("http://10.0.0.1:8123/clickstream?compress=0").unwrap().compress);
    }

    #[test]
    fn a_wrong_url_says_what_would_be_right() {
        for wrong in ["ch:8123", "tcp://h:9000", "http://h/a-b", "http://h/1x", "http://h/?compress=2"] {
            let error = WarehouseConfig::from_url(wrong).unwrap_err().to_string();
            assert!(error.contains("right would be"), "{error}");
        }
    }
}
