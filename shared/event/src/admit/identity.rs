//! The id of an event.

use std::sync::LazyLock;

use serde_json::Value;
use uuid::Uuid;

use super::draft::Cell;

/// Namespace of ids made from foreign ones: `UUIDv5` of the name `clickstream.event` in the OID namespace.
static FOREIGN: LazyLock<Uuid> = LazyLock::new(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, b"clickstream.event"));

/// Longest foreign id, bytes.
const LONGEST: usize = 500;

/// The id as sent and as a UUID: a UUID is taken as it is, anything else becomes `UUIDv5` of site and id.
pub fn event_id(cell: Cell<'_>, site: &str) -> Option<(String, Uuid)> {
    let sent = match cell?.value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if sent.is_empty() || sent.len() > LONGEST {
        return None;
    }
    let id = match Uuid::try_parse(&sent) {
        Ok(id) if !id.is_nil() => id,
        _ => foreign_id(site, &sent),
    };
    Some((sent, id))
}

/// `UUIDv5` of site and foreign id.
pub fn foreign_id(site: &str, sent: &str) -> Uuid {
    Uuid::new_v5(&FOREIGN, format!("{site}\n{sent}").as_bytes())
}
