//! `STORE_URL` read part by part.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use scylla::statement::Consistency;
use url::form_urlencoded;

use super::config::{Replication, ScyllaConfig, Tls};
use crate::StoreError;

const FORM: &str = "right is scylla://HOST:9042,HOST:9042/KEYSPACE?OPTION=VALUE";
const DEFAULT_PORT: u16 = 9_042;
/// Cassandra's limit for names (<https://cassandra.apache.org/doc/5.0/cassandra/developing/cql/ddl.html>).
const LONGEST_NAME: usize = 48;
const CONSISTENCIES: [(&str, Consistency); 5] = [
    ("local_quorum", Consistency::LocalQuorum),
    ("quorum", Consistency::Quorum),
    ("local_one", Consistency::LocalOne),
    ("one", Consistency::One),
    ("all", Consistency::All),
];
const OPTIONS: &str = "replication, local_dc, consistency, concurrency, timeout_ms and tls";

impl ScyllaConfig {
    /// Reads `scylla://HOST:PORT,HOST:PORT/KEYSPACE?OPTION=VALUE&OPTION=VALUE`. A port that is left out is 9042.
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `replication` | how often a new keyspace is kept in every datacenter, `3`, or by datacenter, `dc1:3,dc2:2` | 3, or as many as there are nodes |
    /// | `local_dc` | the datacenter whose nodes are asked | all |
    /// | `consistency` | `local_quorum`, `quorum`, `local_one`, `one`, `all` | `local_quorum` |
    /// | `concurrency` | statements under way at once, 1 to 10000 | 128 |
    /// | `timeout_ms` | longest wait for a statement, 100 to 600000 | 5000 |
    /// | `tls` | `off`, `system`, or the path of a PEM file with the authority's certificate | `off` |
    ///
    /// The user and password are not part of it, so that it may be printed.
    ///
    /// # Errors
    /// [`StoreError::Setting`] names what is wrong and what would be right.
    pub fn from_url(text: &str) -> Result<Self, StoreError> {
        let rest = text.strip_prefix("scylla://").ok_or_else(|| wrong(format!("it does not begin with scylla://; {FORM}")))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if place.contains('@') {
            return Err(wrong("it names a user: set SCYLLA_USERNAME and SCYLLA_PASSWORD instead".to_owned()));
        }
        let (hosts, keyspace) = place.split_once('/').ok_or_else(|| wrong(format!("it names no keyspace; {FORM}")))?;
        let mut config = Self::new(hosts.split(',').map(contact_point).collect::<Result<_, _>>()?, checked_keyspace(keyspace)?);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            config.set(&name, &value)?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let unusable = |right: &str| wrong(format!("the option {name}={value:?} cannot be used: {right}"));
        match name {
            "replication" => {
                self.replication = replication(value)
                    .ok_or_else(|| unusable("say a number from 1 to 9, or one for each datacenter such as dc1:3,dc2:2"))?;
            }
            "local_dc" => self.local_dc = Some(name_of_dc(value).ok_or_else(|| unusable("say the name of a datacenter"))?),
            "consistency" => {
                let known = CONSISTENCIES.iter().find(|(known, _)| *known == value);
                let names = CONSISTENCIES.map(|(known, _)| known).join(", ");
                self.consistency = known.ok_or_else(|| unusable(&format!("say one of {names}")))?.1;
            }
            "concurrency" => self.concurrency = number(value, 1, 10_000).ok_or_else(|| unusable("say a number from 1 to 10000"))?,
            "timeout_ms" => {
                let millis = number(value, 100_u64, 600_000).ok_or_else(|| unusable("say milliseconds from 100 to 600000"))?;
                self.timeout = Duration::from_millis(millis);
            }
            "tls" => {
                self.tls = match value {
                    "off" => Tls::Off,
                    "system" => Tls::System,
                    path if path.contains('/') => Tls::Authority(PathBuf::from(path)),
                    _ => return Err(unusable("say off, system, or the path of a PEM file")),
                };
            }
            _ => return Err(wrong(format!("the option {name:?} is unknown; there are {OPTIONS}"))),
        }
        Ok(())
    }
}

fn wrong(why: String) -> StoreError {
    StoreError::Setting(format!("STORE_URL is wrong: {why}"))
}

fn contact_point(text: &str) -> Result<String, StoreError> {
    let unusable = || wrong(format!("{text:?} is no HOST:PORT; {FORM}"));
    // An IPv6 address stands in brackets.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok().filter(|p| *p > 0).ok_or_else(unusable)?),
        _ => (text, DEFAULT_PORT),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || (host.contains(':') && !bracketed) || host.contains(char::is_whitespace) {
        return Err(unusable());
    }
    Ok(format!("{host}:{port}"))
}

fn checked_keyspace(name: &str) -> Result<&str, StoreError> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if letters && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= LONGEST_NAME {
        return Ok(name);
    }
    Err(wrong(format!(
        "{name:?} is no name of a keyspace: lower-case letters, digits and _, beginning with a letter, {LONGEST_NAME} at most"
    )))
}

fn replication(text: &str) -> Option<Replication> {
    let factor = |text: &str| number(text, 1, 9);
    if let Some(factor) = factor(text) {
        return Some(Replication::Everywhere(factor));
    }
    let mut map = BTreeMap::new();
    for each in text.split(',') {
        let (name, times) = each.split_once(':')?;
        if map.insert(name_of_dc(name)?, factor(times)?).is_some() {
            return None;
        }
    }
    Some(Replication::Datacenters(map))
}

/// Names stand in statements, so what could end a string there is no part of one.
fn name_of_dc(text: &str) -> Option<String> {
    let fit = !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c));
    fit.then(|| text.to_owned())
}

fn number<T: std::str::FromStr + PartialOrd>(text: &str, low: T, high: T) -> Option<T> {
    text.parse().ok().filter(|n| *n >= low && *n <= high)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        let config = ScyllaConfig::from_url("scylla://10.0.0.1:19042,db.example,[::1]:9043/clicks_1").unwrap();
        assert_eq!(config.contact_points, ["10.0.0.1:19042", "db.example:9042", "[::1]:9043"]);
        assert_eq!((config.keyspace.as_str(), config.replication, config.local_dc), ("clicks_1", Replication::Automatic, None));
        assert_eq!((config.consistency, config.tls), (Consistency::LocalQuorum, Tls::Off));

        let url = "scylla://a/k?replication=dc1:3,dc%202:2&local_dc=dc1&consistency=one&concurrency=7&timeout_ms=900&tls=/etc/ca.pem";
        let config = ScyllaConfig::from_url(url).unwrap();
        let map = BTreeMap::from([("dc1".to_owned(), 3), ("dc 2".to_owned(), 2)]);
        assert_eq!((config.replication, config.local_dc.as_deref()), (Replication::Datacenters(map), Some("dc1")));
        assert_eq!((config.consistency, config.concurrency), (Consistency::One, 7));
        assert_eq!((config.timeout, config.tls), (Duration::from_millis(900), Tls::Authority("/etc/ca.pem".into())));
        let config = ScyllaConfig::from_url("scylla://a/k?replication=2&tls=system").unwrap();
        assert_eq!((config.replication, config.tls), (Replication::Everywhere(2), Tls::System));
    }

    #[test]
    fn a_wrong_url_is_told_what_would_be_right() {
        for (url, names) in [
            ("scylla:host/k", "scylla://"),
            ("scylla://host", "no keyspace"),
            ("scylla://host/", "\"\" is no name of a keyspace"),
            ("scylla://host/Clicks", "\"Clicks\" is no name"),
            ("scylla://host/1k", "\"1k\" is no name"),
            ("scylla:///k", "\"\" is no HOST:PORT"),
            ("scylla://a,,b/k", "\"\" is no HOST:PORT"),
            ("scylla://a:port/k", "\"a:port\" is no HOST:PORT"),
            ("scylla://::1:9042/k", "\"::1:9042\" is no HOST:PORT"),
            ("scylla://a/k?colour=red", "\"colour\" is unknown; there are replication"),
            ("scylla://a/k?replication=0", "replication=\"0\""),
            ("scylla://a/k?replication=dc1", "replication=\"dc1\""),
            ("scylla://a/k?replication=dc1:1,dc1:2", "dc1:3,dc2:2"),
            ("scylla://a/k?replication=d'c:1", "datacenter"),
            ("scylla://a/k?consistency=some", "say one of local_quorum"),
            ("scylla://a/k?concurrency=none", "1 to 10000"),
            ("scylla://a/k?timeout_ms=1", "100 to 600000"),
            ("scylla://a/k?tls=yes", "say off, system"),
        ] {
            let StoreError::Setting(text) = ScyllaConfig::from_url(url).unwrap_err() else { panic!("{url}") };
            assert!(text.contains("STORE_URL") && text.contains(names), "{url}: {text}");
        }
    }

    #[test]
    fn a_password_is_neither_taken_from_the_url_nor_printed() {
        let error = ScyllaConfig::from_url("scylla://ann:hidden@host/k").unwrap_err().to_string();
        assert!(error.contains("SCYLLA_PASSWORD") && !error.contains("hidden"), "{error}");
        let mut config = ScyllaConfig::from_url("scylla://host/k").unwrap();
        config.credentials = Some(("ann".to_owned(), "hidden".to_owned()));
        assert!(!format!("{config:?} {}", config.place()).contains("hidden"));
    }
}
