//! The number under which a person's timeline is kept.

use clickstream_event::Event;
use sha2::{Digest, Sha256};

use crate::Person;

/// First 8 bytes of SHA-256 over kind, site and id: a fixed, narrow key in place of long strings.
/// Should two persons ever share it, reading tells them apart by the events themselves.
pub(super) fn key(site: &str, person: &Person) -> i64 {
    let (kind, id) = match person {
        Person::User(id) => (b'u', id),
        Person::Anonymous(id) => (b'a', id),
    };
    hash(kind, site, id)
}

/// The timelines that `event` belongs to.
pub(super) fn keys_of(event: &Event) -> impl Iterator<Item = i64> {
    let user = event.user_id.as_deref().map(|id| hash(b'u', &event.site_id, id));
    let anonymous = event.anonymous_id.as_deref().map(|id| hash(b'a', &event.site_id, id));
    user.into_iter().chain(anonymous)
}

/// Whether `event` belongs to the timeline of `person` on `site`.
pub(super) fn owns(site: &str, person: &Person, event: &Event) -> bool {
    event.site_id == site
        && match person {
            Person::User(id) => event.user_id.as_ref() == Some(id),
            Person::Anonymous(id) => event.anonymous_id.as_ref() == Some(id),
        }
}

fn hash(kind: u8, site: &str, id: &str) -> i64 {
    let digest =
        Sha256::new().chain_update([kind]).chain_update((site.len() as u32).to_le_bytes()).chain_update(site).chain_update(id).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
