//! Whom a record names that never became an event.

use clickstream_event::{Shape, parse_record};
use serde_json::Value;

/// The ids that a record names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The site, where it says one.
    pub site: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The anonymous id.
    pub anonymous: Option<String>,
}

/// The ids in `original`, as the parsers of events read it; nothing where it is no record at all.
pub fn names_in(original: &str, shape: Shape) -> Named {
    let Ok(raw) = parse_record(original.as_bytes(), shape) else { return Named::default() };
    let text = |names: &[&str]| {
        names.iter().find_map(|name| match raw.fields.get(*name)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    Named { site: text(&["site_id", "siteId"]), user: text(&["user_id", "userId"]), anonymous: text(&["anonymous_id", "anonymousId"]) }
}

pub(crate) fn site_of(named: &Named) -> Option<&str> {
    named.site.as_deref()
}

/// True if `text` holds `id` by itself, not as a part of a longer word: what is asked of bytes that no parser reads.
/// The id is looked for as it is and as JSON writes it.
pub fn text_names(text: &[u8], id: &str) -> bool {
    let json = serde_json::to_string(id).unwrap_or_default();
    let escaped = json.trim_matches('"');
    holds(text, id.as_bytes()) || (escaped != id && holds(text, escaped.as_bytes()))
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return false };
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|b| b == first).map(|at| from + at) {
        let end = at + wanted.len();
        if text.get(at..end) == Some(wanted) {
            let (before, after) = (at.checked_sub(1).and_then(|at| text.get(at)), text.get(end));
            if !is_word(before) && !is_word(after) {
                return true;
            }
        }
        from = at + 1;
    }
    false
}
