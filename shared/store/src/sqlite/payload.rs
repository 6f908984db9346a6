//! Payloads: some dozens of events packed together, each in a numbered slot.
//!
//! Packed together, events compress four times better than alone, and one row is written for all of
//! them. A slot is, integers little-endian: length of the JSON (u32; 0 = the event was replaced or
//! expired), partition (u32), offset (u64), the event's JSON.

use clickstream_event::{Event, Logged};
use clickstream_sqlite::Failure;
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    packing::{Packed, pack, unpack},
    person,
    put::remove_from_timeline,
    traces::remove_repeats,
};

/// Events in one payload: reading one of them unpacks them all, about 60 KB.
pub(super) const SLOTS: usize = 64;

/// Where an event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub payload_id: i64,
    pub slot: u32,
}

/// Adds an event to `body`.
pub(super) fn push(body: &mut Vec<u8>, log_partition: u32, log_offset: u64, json: &[u8]) {
    body.extend_from_slice(&(json.len() as u32).to_le_bytes());
    body.extend_from_slice(&log_partition.to_le_bytes());
    body.extend_from_slice(&log_offset.to_le_bytes());
    body.extend_from_slice(json);
}

/// Adds a slot without event.
pub(super) fn push_empty(body: &mut Vec<u8>) {
    body.extend_from_slice(&0_u32.to_le_bytes());
}

/// One slot as it stands in a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    pub log_partition: u32,
    pub log_offset: u64,
    pub json: &'a [u8],
}

/// A payload read back.
#[derive(Debug)]
pub(super) struct Payload {
    id: i64,
    body: Vec<u8>,
}

impl Payload {
    /// The payload `id`; none if there is no such row.
    pub(super) fn load(connection: &Connection, id: i64) -> Result<Option<Self>, Failure> {
        let packed = connection
            .prepare_cached("SELECT checksum, data FROM payloads WHERE id = ?1")?
            .query_row([id], |r| Ok(Packed { checksum: r.get(0)?, data: r.get(1)? }))
            .optional()?;
        packed.map(|p| Ok(Self { id, body: unpack(id, &p)? })).transpose()
    }

    /// Its slots in order; those without event as `None`.
    pub(super) fn slots(&self) -> Result<Vec<Option<Slot<'_>>>, Failure> {
        let mut slots = Vec::with_capacity(SLOTS);
        let mut rest = &self.body[..];
        while !rest.is_empty() {
            let (slot, after) =
                split(rest).ok_or_else(|| Failure::Corrupt(format!("slot {} of payload {} is cut", slots.len(), self.id)))?;
            slots.push(slot);
            rest = after;
        }
        Ok(slots)
    }

    /// The event in `slot`.
    pub(super) fn event(&self, slot: u32) -> Result<Logged, Failure> {
        let slots = self.slots()?;
        let found = slots.get(slot as usize).copied().flatten();
        found.ok_or_else(|| Failure::Corrupt(format!("payload {} has no event in slot {slot}", self.id))).and_then(|s| self.decode(s))
    }

    /// The event that a slot of this payload holds.
    pub(super) fn decode(&self, slot: Slot<'_>) -> Result<Logged, Failure> {
        let event: Event =
            serde_json::from_slice(slot.json).map_err(|e| Failure::Corrupt(format!("an event of payload {} is no event: {e}", self.id)))?;
        Ok(Logged { log_partition: slot.log_partition, log_offset: slot.log_offset, event })
    }
}

fn split(bytes: &[u8]) -> Option<(Option<Slot<'_>>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 {
        return Some((None, rest));
    }
    let (partition, rest) = rest.split_first_chunk::<4>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (json, rest) = rest.split_at_checked(length)?;
    let slot = Slot { log_partition: u32::from_le_bytes(*partition), log_offset: u64::from_le_bytes(*offset), json };
    Some((Some(slot), rest))
}

/// Empties the slots of one payload whose event goes, and those whose event was replaced; deletes the
/// payload when none is left. Returns how many events are gone.
pub(super) fn remove(
    tx: &Transaction<'_>,
    compressor: &mut zstd::bulk::Compressor<'_>,
    id: i64,
    mut goes: impl FnMut(&Event) -> bool,
) -> Result<i64, Failure> {
    let Some(old) = Payload::load(tx, id)? else { return Ok(0) };
    let mut body = Vec::new();
    let mut oldest_left: Option<i64> = None;
    let mut forgotten = 0;
    for (slot, found) in (0_u32..).zip(old.slots()?) {
        let Some(found) = found else {
            push_empty(&mut body);
            continue;
        };
        let event = old.decode(found)?.event;
        let key = (event.event_id.as_bytes(), &event.site_id, id, slot);
        let current: Option<i64> = tx
            .prepare_cached(
                "SELECT site_id FROM events WHERE event_id = ?1
                 AND site_id = (SELECT id FROM sites WHERE name = ?2) AND payload_id = ?3 AND slot = ?4",
            )?
            .query_row(key, |r| r.get(0))
            .optional()?;
        let Some(site_id) = current else {
            push_empty(&mut body);
            continue;
        };
        if !goes(&event) {
            push(&mut body, found.log_partition, found.log_offset, found.json);
            oldest_left = Some(oldest_left.map_or(event.received_at.0, |o| o.min(event.received_at.0)));
            continue;
        }
        push_empty(&mut body);
        tx.prepare_cached("DELETE FROM events WHERE event_id = ?1 AND site_id = ?2")?.execute((event.event_id.as_bytes(), site_id))?;
        remove_repeats(tx, event.event_id, site_id)?;
        for person in person::keys_of(&event) {
            remove_from_timeline(tx, person, event.original_at.0, event.event_id)?;
        }
        forgotten += 1;
    }
    if let Some(oldest) = oldest_left {
        let packed = pack(id, &body, compressor)?;
        tx.prepare_cached("UPDATE payloads SET oldest_received_at = ?2, checksum = ?3, data = ?4 WHERE id = ?1")?.execute((
            id,
            oldest,
            packed.checksum,
            &packed.data,
        ))?;
    } else {
        tx.prepare_cached("DELETE FROM payloads WHERE id = ?1")?.execute([id])?;
    }
    Ok(forgotten)
}
