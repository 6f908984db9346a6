//! Payloads: some dozens of events packed together, each in a numbered slot.
//!
//! Packed together, events compress four times better than alone, and one row is written for all of
//! them. A slot is, integers little-endian: length of the JSON (u32; 0 = the event was replaced or
//! expired), partition (u32), offset (u64), the event's JSON.

use clickstream_event::{Event, Logged};
use clickstream_sqlite::Failure;
use rusqlite::{Connection, OptionalExtension};

use super::packing::{Packed, unpack};

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
