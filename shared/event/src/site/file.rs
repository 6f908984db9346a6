//! Sites as a TOML file names them. docs/sites.md describes the file.

use std::num::NonZeroU32;

use jiff::tz::TimeZone;
use toml::de::DeValue;
use url::Url;

use super::{
    IpPolicy, PropertyNames, Quota, Rate, Schema, Schemas, Site, Sites, SitesError, Violation, is_site_id,
    walk::{self, Keys},
};

const SITE: [&str; 12] = [
    "id",
    "write_keys",
    "allowed_origins",
    "ip",
    "cookieless",
    "timezone",
    "max_age_days",
    "max_skew_seconds",
    "allowed_query",
    "property_names",
    "quota",
    "schema",
];
const QUOTA: [&str; 3] = ["events_per_second", "burst", "per_ip"];
const RATE: [&str; 2] = ["events_per_second", "burst"];
const SCHEMA: [&str; 4] = ["event", "version", "violation", "schema"];

/// Room for bursts where a file names none: a whole request, or two seconds.
const LEAST_BURST: u32 = 500;

impl Sites {
    /// Reads a TOML document of tables `[[site]]`. Nothing of it is taken if anything is wrong.
    ///
    /// # Errors
    /// Names a line that is wrong, its key and what would be right: a value of a wrong type or range, a key that is not
    /// known, an id or a write key used twice, or no site at all.
    pub fn from_toml(text: &str) -> Result<Self, SitesError> {
        let document = walk::parse(text)?;
        let root = Keys::new(text, "the file", 0, document.get_ref(), &["site"])?;
        let tables = root.tables("site", "[site]", &SITE)?;
        if tables.is_empty() {
            return Err(root.missing("site", "at least one table [[site]]"));
        }
        let mut sites: Vec<Site> = Vec::with_capacity(tables.len());
        for keys in &tables {
            let site = site(keys, &sites)?;
            sites.push(site);
        }
        Ok(Self::new(sites))
    }
}

/// The site of one table, after the `earlier` ones.
fn site(keys: &Keys<'_>, earlier: &[Site]) -> Result<Site, SitesError> {
    let defaults = Site::new("", "");
    let site_id = site_id(keys, earlier)?;
    let schemas = schemas(keys)?;
    let property_names = keys.whole("property_names", 1, 100_000)?.map(|most| PropertyNames::new(most as usize));
    if let Some(names) = &property_names {
        names.reserve(schemas.names());
    }
    Ok(Site {
        write_keys: write_keys(keys, earlier)?,
        allowed_origins: allowed_origins(keys)?,
        ip_policy: ip_policy(keys)?,
        cookieless: keys.boolean("cookieless")?.unwrap_or(defaults.cookieless),
        timezone: timezone(keys)?.unwrap_or(defaults.timezone),
        max_age_days: keys.whole("max_age_days", 1, 3_650)?.unwrap_or(defaults.max_age_days),
        max_skew_seconds: keys.whole("max_skew_seconds", 1, 86_400)?.unwrap_or(defaults.max_skew_seconds),
        allowed_query: allowed_query(keys)?,
        quota: quota(keys)?,
        schemas,
        property_names,
        site_id,
        visitor_secret: defaults.visitor_secret,
    })
}

fn site_id(keys: &Keys<'_>, earlier: &[Site]) -> Result<String, SitesError> {
    const WANTED: &str = "up to 100 letters, digits, -, _ and ., such as id = \"shop\"";
    let (id, at) = keys.text("id", WANTED)?.ok_or_else(|| keys.missing("id", WANTED))?;
    if !is_site_id(id) {
        return Err(keys.wrong("id", at, &format!("wanted {WANTED}")));
    }
    if earlier.iter().any(|site| site.site_id == id) {
        return Err(keys.wrong("id", at, &format!("another site is named {id:?}: give each its own id, and one site several write_keys")));
    }
    Ok(id.to_owned())
}

fn write_keys(keys: &Keys<'_>, earlier: &[Site]) -> Result<Vec<String>, SitesError> {
    const WANTED: &str = "a list of keys, such as write_keys = [\"k3y\"]";
    let listed = keys.texts("write_keys", WANTED)?;
    if listed.is_empty() {
        return Err(match keys.value("write_keys") {
            Some(at) => keys.wrong("write_keys", at, &format!("wanted {WANTED}, with one key at least")),
            None => keys.missing("write_keys", WANTED),
        });
    }
    let mut taken: Vec<String> = Vec::with_capacity(listed.len());
    for (key, at) in listed {
        let sendable = key.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if key.is_empty() || !sendable {
            return Err(keys.wrong("write_keys", at, "a key has letters, digits and signs other than a colon, one at least"));
        }
        if taken.iter().chain(earlier.iter().flat_map(|site| &site.write_keys)).any(|other| other == key) {
            return Err(keys.wrong("write_keys", at, "this key stands in the file twice: each belongs to one site"));
        }
        taken.push(key.to_owned());
    }
    Ok(taken)
}

fn allowed_origins(keys: &Keys<'_>) -> Result<Vec<String>, SitesError> {
    let wanted = "wanted origins as browsers send them, scheme and host alone, such as https://shop.example";
    let listed = keys.texts("allowed_origins", "a list of origins, such as [\"https://shop.example\"]")?;
    listed
        .into_iter()
        .map(|(origin, at)| match Url::parse(origin).map(|url| url.origin()) {
            Ok(parsed) if parsed.is_tuple() && parsed.ascii_serialization() == origin => Ok(origin.to_owned()),
            _ => Err(keys.wrong("allowed_origins", at, wanted)),
        })
        .collect()
}

fn ip_policy(keys: &Keys<'_>) -> Result<IpPolicy, SitesError> {
    match keys.text("ip", "\"anonymize\" or \"drop\"")? {
        None => Ok(IpPolicy::default()),
        Some(("anonymize", _)) => Ok(IpPolicy::Anonymize),
        Some(("drop", _)) => Ok(IpPolicy::Drop),
        Some((_, at)) => Err(keys.wrong("ip", at, "wanted \"anonymize\" or \"drop\"")),
    }
}

fn timezone(keys: &Keys<'_>) -> Result<Option<String>, SitesError> {
    const WANTED: &str = "the name of a time zone such as Europe/Berlin";
    match keys.text("timezone", WANTED)? {
        None => Ok(None),
        Some((name, at)) => match TimeZone::get(name) {
            Ok(_) => Ok(Some(name.to_owned())),
            Err(_) => Err(keys.wrong("timezone", at, &format!("wanted {WANTED}"))),
        },
    }
}

fn allowed_query(keys: &Keys<'_>) -> Result<Vec<String>, SitesError> {
    let listed = keys.texts("allowed_query", "a list of names of query parameters, such as [\"q\"]")?;
    Ok(listed.into_iter().map(|(name, _)| name.to_owned()).collect())
}

fn quota(keys: &Keys<'_>) -> Result<Quota, SitesError> {
    let Some(quota) = keys.table("quota", "[site.quota]", &QUOTA)? else { return Ok(Quota::default()) };
    let per_ip = quota.table("per_ip", "[site.quota.per_ip]", &RATE)?;
    let per_ip = per_ip.map(|keys| rate(&keys)?.ok_or_else(|| keys.missing("events_per_second", "a number"))).transpose()?;
    let per_key = rate(&quota)?;
    if per_key.is_none() && per_ip.is_none() {
        return Err(quota.missing("events_per_second", "events_per_second, per_ip, or both"));
    }
    Ok(Quota { per_key, per_ip })
}

/// The rate of a table, if it names one.
fn rate(keys: &Keys<'_>) -> Result<Option<Rate>, SitesError> {
    const MOST: u32 = 10_000_000;
    let steady = keys.whole("events_per_second", 1, MOST)?;
    let burst = keys.whole("burst", 1, MOST)?;
    let Some(steady) = steady else {
        return match keys.value("burst") {
            Some(_) => Err(keys.missing("events_per_second", "a number beside burst")),
            None => Ok(None),
        };
    };
    let burst = burst.unwrap_or_else(|| LEAST_BURST.max(steady.saturating_mul(2)));
    Ok(NonZeroU32::new(steady).zip(NonZeroU32::new(burst)).map(|(events_per_second, burst)| Rate { events_per_second, burst }))
}

fn schemas(keys: &Keys<'_>) -> Result<Schemas, SitesError> {
    let mut schemas: Vec<Schema> = Vec::new();
    for table in keys.tables("schema", "[site.schema]", &SCHEMA)? {
        let schema = schema(&table)?;
        if schemas.iter().any(|other| (other.event(), other.version()) == (schema.event(), schema.version())) {
            let why = format!("{:?} has a schema of version {} already: give each its own version", schema.event(), schema.version());
            return Err(table.at("event", &why));
        }
        schemas.push(schema);
    }
    Ok(Schemas::new(schemas))
}

fn schema(keys: &Keys<'_>) -> Result<Schema, SitesError> {
    const EVENT: &str = "the name of a custom event, or view, click, page or identify";
    const WANTED: &str = "a JSON Schema, as a table or as the text of a JSON object";
    let (event, at) = keys.text("event", EVENT)?.ok_or_else(|| keys.missing("event", EVENT))?;
    if event.trim() != event || event.is_empty() || event.chars().count() > 200 {
        return Err(keys.wrong("event", at, &format!("wanted {EVENT}, of 1 to 200 characters")));
    }
    let version = keys.whole("version", 1, u32::MAX)?.unwrap_or(1);
    let violation = match keys.text("violation", "\"warn\" or \"reject\"")? {
        None => Violation::default(),
        Some(("warn", _)) => Violation::Warn,
        Some(("reject", _)) => Violation::Reject,
        Some((_, at)) => return Err(keys.wrong("violation", at, "wanted \"warn\" or \"reject\"")),
    };
    let value = keys.value("schema").ok_or_else(|| keys.missing("schema", WANTED))?;
    let json = match value.get_ref() {
        DeValue::String(text) => serde_json::from_str(text).map_err(|error| keys.wrong("schema", value, &format!("no JSON: {error}")))?,
        _ => keys.json("schema", value)?,
    };
    if !json.is_object() {
        return Err(keys.wrong("schema", value, &format!("wanted {WANTED}")));
    }
    Schema::new(event, version, violation, &json).map_err(|why| keys.wrong("schema", value, &format!("no JSON Schema: {why}")))
}
