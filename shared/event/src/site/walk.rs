//! A TOML document read key by key, so that whatever is wrong is named with its line and what would be right.
//!
//! No message repeats a value: the file holds write keys.

use serde_json::{Number, Value};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::SitesError;

/// A value with its place.
pub type Placed<'a> = &'a Spanned<DeValue<'a>>;

/// One table of the document.
pub struct Keys<'a> {
    text: &'a str,
    /// What it is called in messages, such as `[site.quota]`.
    name: &'static str,
    /// Where it begins.
    start: usize,
    table: &'a DeTable<'a>,
}

/// The tables of a document.
pub fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, SitesError> {
    DeTable::parse(text).map_err(|error| wrong(text, error.span().map_or(text.len(), |s| s.start), format!("no TOML: {}", error.message())))
}

/// A fault at the byte `at`.
fn wrong(text: &str, at: usize, what: String) -> SitesError {
    let line = 1 + text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count();
    SitesError::File { line, what }
}

impl<'a> Keys<'a> {
    /// The table `name`, in which only `known` keys may stand.
    pub fn new(text: &'a str, name: &'static str, start: usize, table: &'a DeTable<'a>, known: &[&str]) -> Result<Self, SitesError> {
        let keys = Self { text, name, start, table };
        match table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            Some((key, _)) => {
                let named: String = key.get_ref().chars().take(50).collect();
                Err(wrong(text, key.span().start, format!("{name} has no key {named:?}: it takes {}", known.join(", "))))
            }
            None => Ok(keys),
        }
    }

    /// The table under `key`.
    pub fn table(&self, key: &str, name: &'static str, known: &[&str]) -> Result<Option<Self>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let Some(table) = value.get_ref().as_table() else { return Err(self.is_no(key, value, "a table")) };
        Keys::new(self.text, name, value.span().start, table, known).map(Some)
    }

    /// The tables under `key`, each with its place.
    pub fn tables(&self, key: &str, name: &'static str, known: &[&str]) -> Result<Vec<Self>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let wanted = format!("tables: write [{name}]");
        let Some(array) = value.get_ref().as_array() else { return Err(self.is_no(key, value, &wanted)) };
        let each = array.iter().map(|item| match item.get_ref().as_table() {
            Some(table) => Keys::new(self.text, name, item.span().start, table, known),
            None => Err(self.is_no(key, item, &wanted)),
        });
        each.collect()
    }

    /// The text under `key`.
    pub fn text(&self, key: &str, wanted: &str) -> Result<Option<(&'a str, Placed<'a>)>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some((text, value))),
            None => Err(self.is_no(key, value, wanted)),
        }
    }

    /// The texts under `key`; none where there is no such key.
    pub fn texts(&self, key: &str, wanted: &str) -> Result<Vec<(&'a str, Placed<'a>)>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let array: &DeArray<'_> = value.get_ref().as_array().ok_or_else(|| self.is_no(key, value, wanted))?;
        array.iter().map(|item| item.get_ref().as_str().map(|text| (text, item)).ok_or_else(|| self.is_no(key, item, wanted))).collect()
    }

    /// The whole number under `key`.
    pub fn whole(&self, key: &str, low: u32, high: u32) -> Result<Option<u32>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.get_ref().as_integer().and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        match number.filter(|n| (low..=high).contains(n)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong(key, value, &format!("wanted a number from {low} to {high}"))),
        }
    }

    /// True or false under `key`.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, SitesError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        value.get_ref().as_bool().map(Some).ok_or_else(|| self.is_no(key, value, "true or false"))
    }

    /// The value under `key`.
    pub fn value(&self, key: &str) -> Option<Placed<'a>> {
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, value)| value)
    }

    /// A value as JSON.
    pub fn json(&self, key: &str, value: Placed<'_>) -> Result<Value, SitesError> {
        let number = |number: Option<Number>| number.map(Value::Number).ok_or_else(|| self.wrong(key, value, "JSON has no such number"));
        match value.get_ref() {
            DeValue::String(text) => Ok(Value::String(text.to_string())),
            DeValue::Integer(whole) => number(i64::from_str_radix(whole.as_str(), whole.radix()).ok().map(Number::from)),
            DeValue::Float(float) => number(float.as_str().parse().ok().and_then(Number::from_f64)),
            DeValue::Boolean(either) => Ok(Value::Bool(*either)),
            DeValue::Datetime(_) => Err(self.wrong(key, value, "JSON has no dates: write a text")),
            DeValue::Array(items) => items.iter().map(|item| self.json(key, item)).collect(),
            DeValue::Table(table) => table
                .iter()
                .map(|(name, value)| Ok((name.get_ref().to_string(), self.json(key, value)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }

    /// The fault of the value under `key`, or of the table where there is none.
    pub fn at(&self, key: &str, why: &str) -> SitesError {
        self.value(key).map_or_else(|| self.missing(key, why), |value| self.wrong(key, value, why))
    }

    /// The fault of a table that lacks `key`.
    pub fn missing(&self, key: &str, wanted: &str) -> SitesError {
        wrong(self.text, self.start, format!("{} has no {key}: wanted {wanted}", self.name))
    }

    /// The fault of a value.
    pub fn wrong(&self, key: &str, at: Placed<'_>, why: &str) -> SitesError {
        wrong(self.text, at.span().start, format!("{key} of {} is wrong: {why}", self.name))
    }

    fn is_no(&self, key: &str, at: Placed<'_>, wanted: &str) -> SitesError {
        let kind = at.get_ref().type_str();
        let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        self.wrong(key, at, &format!("wanted {wanted}, not {article} {kind}"))
    }
}
