//! What `LOG_URL=kafka://HOST:PORT,…?OPTION=VALUE&…` says.

use std::path::Path;

use percent_encoding::percent_decode_str;

use super::{iam, settings::Settings};
use crate::LogError;

/// User name for SASL.
const USERNAME: &str = "KAFKA_SASL_USERNAME";
/// Password for SASL.
const PASSWORD: &str = "KAFKA_SASL_PASSWORD";
/// Password of the key in `ssl.key.location`, if it has one.
const KEY_PASSWORD: &str = "KAFKA_SSL_KEY_PASSWORD";

/// Longest prefix, bytes: names of topics and groups follow it, and Kafka takes 249 in all.
const LONGEST_PREFIX: usize = 100;

/// What an option may be.
enum Kind {
    Text,
    /// The path of something that is there.
    File,
    OneOf(&'static [&'static str]),
    Number(u64, u64),
}

/// Options that are librdkafka's settings, under librdkafka's names. Nothing here can switch off that certificates
/// are verified, weaken what `acks=all` promises, or let records go unseen.
const PASSED_ON: &[(&str, Kind)] = &[
    ("client.id", Kind::Text),
    ("compression.level", Kind::Number(1, 12)),
    ("compression.type", Kind::OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    ("connections.max.idle.ms", Kind::Number(1_000, 600_000)),
    ("message.timeout.ms", Kind::Number(1_000, 300_000)),
    ("sasl.mechanism", Kind::OneOf(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", iam::MECHANISM])),
    ("security.protocol", Kind::OneOf(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])),
    ("ssl.ca.location", Kind::File),
    ("ssl.certificate.location", Kind::File),
    ("ssl.key.location", Kind::File),
];

/// Options of our own.
const OWN: [(&str, Kind); 3] = [("partitions", Kind::Number(1, 10_000)), ("prefix", Kind::Text), ("replication", Kind::Number(1, 100))];

/// Where Kafka is and how it is talked to.
///
/// | option | is | if not given |
/// |---|---|---|
/// | `prefix` | put before the names of topics and groups, so that several installations share one cluster | none |
/// | `partitions` | of the topic `events`, where it is made | 4 |
/// | `replication` | copies of each partition, where a topic is made | 3, or as many as there are brokers |
/// | `security.protocol` | `plaintext`, `ssl`, `sasl_plaintext`, `sasl_ssl` | `plaintext` |
/// | `sasl.mechanism` | `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`; name and password in `KAFKA_SASL_USERNAME` and `KAFKA_SASL_PASSWORD` | |
/// | | `AWS_MSK_IAM`: Amazon MSK's IAM, with the credentials that the AWS SDK finds, in the region of the brokers' names or of `AWS_REGION` | |
/// | `ssl.ca.location` | file or folder of certificates that are trusted | the system's |
/// | `ssl.certificate.location`, `ssl.key.location` | our certificate and its key (password in `KAFKA_SSL_KEY_PASSWORD`) | none |
/// | `client.id` | what the broker's logs and quotas call us | `clickstream` |
/// | `compression.type`, `compression.level` | of what is appended | `zstd`, 1 |
/// | `connections.max.idle.ms` | a connection that was idle for longer is made anew | 60000 |
/// | `message.timeout.ms` | an append that is not acknowledged by then is [`LogError::Unavailable`] | 5000 |
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    pub(super) settings: Settings,
    /// `HOST:PORT,…`, for messages.
    pub(super) brokers: String,
    pub(super) prefix: String,
    pub(super) partitions: Option<u32>,
    pub(super) replication: Option<i32>,
}

impl KafkaOptions {
    /// Reads `url`; secrets come from the environment.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], which names what is wrong and what would be right, and never a secret.
    pub fn from_url(url: &str) -> Result<Self, LogError> {
        Self::parse(url, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn parse(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, LogError> {
        let place = "kafka://HOST:PORT,HOST:PORT,… names the brokers";
        let rest = url.strip_prefix("kafka://").ok_or_else(|| wrong(place))?;
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(secrets_elsewhere());
        }
        let brokers = authority.strip_suffix('/').unwrap_or(authority);
        for broker in brokers.split(',') {
            let port = broker.rsplit_once(':').filter(|(host, _)| is_host(host)).and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none_or(|port| port == 0) {
                // A password with a question mark ends the authority early: what is wrong may be a part of it.
                if rest.contains('@') {
                    return Err(secrets_elsewhere());
                }
                return Err(wrong(&format!("{broker:?} is no HOST:PORT; {place}")));
            }
        }
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = option(pair)?;
            if given.iter().any(|(other, _)| *other == name) {
                return Err(wrong(&format!("the option {name} is given twice")));
            }
            given.push((name, value));
        }
        let own = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
        let prefix = own("prefix").unwrap_or_default();
        if prefix.len() > LONGEST_PREFIX || !is_topic_name(&format!("{prefix}events")) {
            return Err(wrong(&format!("the option prefix takes letters, digits, '.', '_' and '-', at most {LONGEST_PREFIX}")));
        }
        // Both are within the range of their option.
        let partitions = own("partitions").and_then(|value| value.parse().ok());
        let replication = own("replication").and_then(|value| value.parse().ok());
        given.retain(|(name, _)| OWN.iter().all(|(own, _)| own != name));

        let mut settings = Settings::new(brokers);
        let protocol = given.iter().find(|(name, _)| *name == "security.protocol").map(|(_, value)| value.clone()).unwrap_or_default();
        if protocol.contains("sasl") {
            let Some((_, mechanism)) = given.iter_mut().find(|(name, _)| *name == "sasl.mechanism") else {
                return Err(wrong(
                    "security.protocol with SASL needs the option sasl.mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or AWS_MSK_IAM",
                ));
            };
            if mechanism == iam::MECHANISM {
                let region = iam::region_of(brokers).or_else(|| environment(iam::REGION));
                let right = "names the region of Amazon MSK, where the brokers' names do not";
                let right = || LogError::Unavailable(format!("{} is not set: it {right}", iam::REGION));
                settings.option(iam::SETTING, &region.ok_or_else(right)?);
                "OAUTHBEARER".clone_into(mechanism);
            } else {
                for (variable, setting) in [(USERNAME, "sasl.username"), (PASSWORD, "sasl.password")] {
                    let right =
                        || LogError::Unavailable(format!("{variable} is not set: LOG_URL has the option security.protocol with SASL"));
                    settings.secret(setting, environment(variable).ok_or_else(right)?);
                }
            }
        } else if given.iter().any(|(name, _)| *name == "sasl.mechanism") {
            return Err(wrong("sasl.mechanism needs the option security.protocol, sasl_ssl or sasl_plaintext"));
        }
        if let Some(password) = environment(KEY_PASSWORD).filter(|_| given.iter().any(|(name, _)| *name == "ssl.key.location")) {
            settings.secret("ssl.key.password", password);
        }
        if !protocol.contains("ssl")
            && let Some((name, _)) = given.iter().find(|(name, _)| name.starts_with("ssl."))
        {
            return Err(wrong(&format!("{name} needs the option security.protocol, ssl or sasl_ssl: without it nothing is encrypted")));
        }
        if protocol.contains("ssl") {
            // A librdkafka with OpenSSL of its own knows no default place of certificates and has to look for it.
            settings.option("ssl.ca.location", "probe");
        }
        for (name, value) in &given {
            settings.option(name, value);
        }
        settings.check().map_err(|why| wrong(&why))?;
        Ok(Self { settings, brokers: brokers.to_owned(), prefix, partitions, replication })
    }

    /// The topic or group `name` as Kafka knows it.
    pub(super) fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn wrong(what: &str) -> LogError {
    LogError::Unavailable(format!("LOG_URL is wrong: {what}"))
}

fn secrets_elsewhere() -> LogError {
    wrong(&format!("names and passwords do not belong there; set {USERNAME} and {PASSWORD}"))
}

/// A name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let colons = inner.len() < host.len();
    !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b) || (colons && b == b':'))
}

/// What Kafka takes as a topic's name (`org.apache.kafka.common.internals.Topic`), short enough for our own to follow it.
pub(super) fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !name.trim_matches('.').is_empty()
}

/// `NAME=VALUE` of the query.
fn option(pair: &str) -> Result<(&'static str, String), LogError> {
    let known = PASSED_ON.iter().chain(&OWN);
    let named = pair.split_once('=').filter(|(name, _)| known.clone().any(|(known, _)| known == name));
    if named.is_none() && pair.contains('@') {
        return Err(secrets_elsewhere());
    }
    let (name, value) = pair.split_once('=').ok_or_else(|| wrong(&format!("{pair:?} is no OPTION=VALUE")))?;
    let Some((name, kind)) = known.clone().find(|(known, _)| *known == name) else {
        if name.contains("password") || name.contains("username") {
            return Err(wrong(&format!("{name} does not belong there; set {USERNAME} and {PASSWORD}, or {KEY_PASSWORD}")));
        }
        let names: Vec<_> = known.map(|(name, _)| *name).collect();
        return Err(wrong(&format!("there is no option {name}; there are {}", names.join(", "))));
    };
    let value = percent_decode_str(value).decode_utf8().map_err(|_| wrong(&format!("the option {name} is no UTF-8")))?;
    let right = match kind {
        Kind::Text => (!value.is_empty() && !value.contains(char::is_control)).then_some(()).ok_or_else(|| "some text".to_owned()),
        Kind::File => Path::new(&*value).exists().then_some(()).ok_or_else(|| "a path that exists".to_owned()),
        Kind::OneOf(values) => values.contains(&&*value).then_some(()).ok_or_else(|| values.join(", ")),
        Kind::Number(least, most) => {
            let fits = value.parse::<u64>().is_ok_and(|n| (*least..=*most).contains(&n));
            fits.then_some(()).ok_or_else(|| format!("a number from {least} to {most}"))
        }
    };
    right.map_err(|right| wrong(&format!("{name}={value}; right would be {right}")))?;
    Ok((name, value.into_owned()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parsed(url: &str) -> Result<KafkaOptions, String> {
        let environment = |name: &str| match name {
            USERNAME => Some("ada".to_owned()),
            PASSWORD => Some("hush".to_owned()),
            _ => None,
        };
        KafkaOptions::parse(url, environment).map_err(|e| e.to_string())
    }

    #[test]
    fn brokers_and_options_are_read() {
        let options = parsed("kafka://a:1,b-c.example:9092,[::1]:3/?prefix=shop.&partitions=8&replication=3&compression.level=3").unwrap();
        assert_eq!(options.brokers, "a:1,b-c.example:9092,[::1]:3");
        assert_eq!((options.full("events").as_str(), options.partitions, options.replication), ("shop.events", Some(8), Some(3)));
        assert_eq!(options.settings.delivered_within(), Duration::from_secs(5));
        let options = parsed("kafka://a:1?ssl.ca.location=%2Fproc%2Fself&security.protocol=ssl&message.timeout.ms=7000").unwrap();
        assert_eq!(options.settings.get("ssl.ca.location"), Some("/proc/self"));
        assert_eq!(options.settings.delivered_within(), Duration::from_secs(7));
        assert_eq!(parsed("kafka://a:1?security.protocol=ssl").unwrap().settings.get("ssl.ca.location"), Some("probe"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (url, says) in [
            ("kafka:", "kafka://HOST:PORT"),
            ("kafka://", "\"\" is no HOST:PORT"),
            ("kafka://a", "\"a\" is no HOST:PORT"),
            ("kafka://a:1,,b:1", "\"\" is no HOST:PORT"),
            ("kafka://a:0", "\"a:0\" is no HOST:PORT"),
            ("kafka://a:70000", "is no HOST:PORT"),
            ("kafka://a:1/topic", "is no HOST:PORT"),
            ("kafka://ada:hush@a:1", KEY_PASSWORD.split_at(5).0),
            ("kafka://ada:hush?@a:1", PASSWORD),
            ("kafka://ada:1?hush@a:1", PASSWORD),
            ("kafka://ada:1?hush=hush@a:1", PASSWORD),
            ("kafka://a:1?ssl.ca.location=/proc/self", "ssl.ca.location needs the option security.protocol"),
            ("kafka://a:1?security.protocol=plaintext&ssl.key.location=/proc/self", "nothing is encrypted"),
            ("kafka://a:1?sasl.password=hush", PASSWORD),
            ("kafka://a:1?acks=1", "there is no option acks; there are client.id, "),
            ("kafka://a:1?enable.ssl.certificate.verification=false", "there is no option enable.ssl.certificate.verification"),
            ("kafka://a:1?compression.type=zip", "compression.type=zip; right would be none, gzip"),
            ("kafka://a:1?compression.level=-1", "compression.level=-1; right would be a number from 1 to 12"),
            ("kafka://a:1?ssl.ca.location=/no/such.pem", "ssl.ca.location=/no/such.pem; right would be a path that exists"),
            ("kafka://a:1?replication=0", "replication=0"),
            ("kafka://a:1?prefix=a/b", "the option prefix takes"),
            ("kafka://a:1?client.id", "\"client.id\" is no OPTION=VALUE"),
            ("kafka://a:1?client.id=a&client.id=b", "client.id is given twice"),
            ("kafka://a:1?client.id=%FF", "client.id is no UTF-8"),
            ("kafka://a:1?sasl.mechanism=PLAIN", "needs the option security.protocol"),
            ("kafka://a:1?security.protocol=sasl_ssl", "needs the option sasl.mechanism"),
        ] {
            let said = parsed(url).unwrap_err();
            assert!(!said.contains("ada"), "{said}");
            assert!(said.contains("LOG_URL is wrong: ") && said.contains(says), "{url}: {said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn a_prefix_leaves_room_for_the_names_that_follow_it() {
        assert!(parsed(&format!("kafka://a:1?prefix={}", "p".repeat(100))).is_ok());
        let said = parsed(&format!("kafka://a:1?prefix={}", "p".repeat(101))).unwrap_err();
        assert!(said.contains("at most 100"), "{said}");
        assert!(parsed("kafka://a:1?client.id=shop@home").is_ok());
    }

    #[test]
    fn amazon_msk_is_told_a_region_and_no_password() {
        let msk = "kafka://b-1.c.a1.c3.kafka.eu-central-1.amazonaws.com:9098?security.protocol=sasl_ssl&sasl.mechanism=AWS_MSK_IAM";
        let options = KafkaOptions::parse(msk, |_| None).unwrap();
        assert_eq!(options.settings.get("sasl.mechanism"), Some("OAUTHBEARER"));
        assert_eq!((options.settings.get(iam::SETTING), options.settings.get("sasl.username")), (Some("eu-central-1"), None));
        let own = "kafka://a:1?security.protocol=sasl_ssl&sasl.mechanism=AWS_MSK_IAM";
        let named = |name: &str| (name == iam::REGION).then(|| "us-east-1".to_owned());
        assert_eq!(KafkaOptions::parse(own, named).unwrap().settings.get(iam::SETTING), Some("us-east-1"));
        let said = KafkaOptions::parse(own, |_| None).unwrap_err().to_string();
        assert!(said.contains("AWS_REGION is not set: it names the region"), "{said}");
    }

    #[test]
    fn secrets_come_from_the_environment_and_are_not_shown() {
        let url = "kafka://a:1?security.protocol=sasl_ssl&sasl.mechanism=SCRAM-SHA-512";
        let options = parsed(url).unwrap();
        assert_eq!(options.settings.get("sasl.password"), Some("hush"));
        assert!(!format!("{options:?}").contains("hush"));
        let said = KafkaOptions::parse(url, |_| None).unwrap_err().to_string();
        assert!(said.contains("KAFKA_SASL_USERNAME is not set"), "{said}");
    }
}
