//! Putting events: one transaction, sorted by key so that each page of an index is visited once.

use std::collections::HashMap;

use clickstream_event::Logged;
use clickstream_sqlite::Failure;
use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::{
    options::PAGE_BYTES,
    packing::pack,
    payload::{self, Payload, SLOTS, Spot},
    person,
    traces::add_repeat,
    writer::Writer,
};
use crate::copies::{copies, place};

/// Events serialized before other tasks get their turn.
const EVENTS_PER_TURN: usize = 128;

/// An event made ready off the writer's lock.
#[derive(Debug)]
pub(super) struct Ready {
    event_id: Uuid,
    site: String,
    /// `(received_at, partition, offset)`: of copies, the lowest stays.
    place: (i64, u32, u64),
    original_at: i64,
    persons: Vec<i64>,
    json: Vec<u8>,
}

/// A copy of an event of the same batch.
#[derive(Debug)]
struct Repeat {
    event_id: Uuid,
    site: String,
    place: (i64, u32, u64),
}

/// What is put in one transaction.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Of each event the first copy, ordered by event id and site.
    pub events: Vec<Ready>,
    repeats: Vec<Repeat>,
}

/// The events to put.
pub(super) async fn prepare(events: &[Logged]) -> Result<Prepared, Failure> {
    let sorted = copies(events);
    let mut ready: Vec<Ready> = Vec::with_capacity(sorted.len());
    let mut repeats = Vec::new();
    for some in sorted.chunks(EVENTS_PER_TURN) {
        for logged in some {
            let (event_id, site) = (logged.event.event_id, &logged.event.site_id);
            if ready.last().is_some_and(|first| first.event_id == event_id && first.site == *site) {
                repeats.push(Repeat { event_id, site: site.clone(), place: place(logged) });
                continue;
            }
            let json =
                serde_json::to_vec(&logged.event).map_err(|e| Failure::Corrupt(format!("an event cannot be written as JSON: {e}")))?;
            ready.push(Ready {
                event_id,
                site: site.clone(),
                place: place(logged),
                original_at: logged.event.original_at.0,
                persons: person::keys_of(&logged.event).collect(),
                json,
            });
        }
        tokio::task::yield_now().await;
    }
    Ok(Prepared { events: ready, repeats })
}

impl Writer {
    /// Puts what is prepared durably; all of it or, on an error, nothing.
    pub(super) fn put_events(&mut self, Prepared { events, repeats }: &Prepared) -> Result<(), Failure> {
        let Self { connection, compressor, sites, next_payload_id, .. } = self;
        let tx = connection.transaction()?;
        let mut new_sites = HashMap::new();
        let spots = spots(events, *next_payload_id);
        let mut kept = vec![false; events.len()];
        let mut added = 0_i64;
        for (i, event) in events.iter().enumerate() {
            let site_id = match sites.get(&event.site).or_else(|| new_sites.get(&event.site)) {
                Some(id) => *id,
                None => *new_sites.entry(event.site.clone()).or_insert(add_site(&tx, &event.site)?),
            };
            if insert(&tx, event, site_id, spots[i])? {
                kept[i] = true;
                added += 1;
            } else {
                kept[i] = replace(&tx, compressor, event, site_id, spots[i])?;
            }
        }
        for repeat in repeats {
            // Its first copy is among the events.
            if let Some(site_id) = sites.get(&repeat.site).or_else(|| new_sites.get(&repeat.site)) {
                add_repeat(&tx, repeat.event_id, *site_id, repeat.place)?;
            }
        }
        let mut bytes = 0;
        if kept.contains(&true) {
            add_to_timelines(&tx, events, &spots, &kept)?;
            bytes = write_payloads(&tx, compressor, events, &spots, &kept)?;
            tx.prepare_cached("UPDATE tally SET events = events + ?1")?.execute([added])?;
        }
        tx.commit()?;
        sites.extend(new_sites);
        *next_payload_id += events.len().div_ceil(SLOTS) as i64;
        // An inserted event dirties about one page of each index.
        self.wrote(bytes + u64::from(PAGE_BYTES) * (3 * added as u64 + repeats.len() as u64));
        Ok(())
    }
}

/// Where each event goes: a person's events lie together, so that a timeline unpacks few payloads.
fn spots(events: &[Ready], first_payload_id: i64) -> Vec<Spot> {
    let mut by_person: Vec<usize> = (0..events.len()).collect();
    by_person.sort_unstable_by_key(|&i| (events[i].persons.first(), events[i].original_at));
    let mut spots = vec![Spot { payload_id: 0, slot: 0 }; events.len()];
    for (n, i) in by_person.into_iter().enumerate() {
        spots[i] = Spot { payload_id: first_payload_id + (n / SLOTS) as i64, slot: (n % SLOTS) as u32 };
    }
    spots
}

fn add_site(tx: &Transaction<'_>, name: &str) -> Result<i64, Failure> {
    tx.execute("INSERT INTO sites (name) VALUES (?1)", [name])?;
    Ok(tx.last_insert_rowid())
}

/// Returns false if there is a copy already.
fn insert(tx: &Transaction<'_>, event: &Ready, site_id: i64, spot: Spot) -> Result<bool, Failure> {
    let (received_at, partition, offset) = event.place;
    let inserted = tx
        .prepare_cached(
            "INSERT INTO events (event_id, site_id, received_at, log_partition, log_offset, payload_id, slot)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute((event.event_id.as_bytes(), site_id, received_at, partition, offset as i64, spot.payload_id, spot.slot))?;
    Ok(inserted == 1)
}

/// Puts `event` in the place of the copy that is there, if it comes before that; returns whether it does.
fn replace(
    tx: &Transaction<'_>,
    compressor: &mut zstd::bulk::Compressor<'_>,
    event: &Ready,
    site_id: i64,
    spot: Spot,
) -> Result<bool, Failure> {
    let (place, old) = tx
        .prepare_cached(
            "SELECT received_at, log_partition, log_offset, payload_id, slot FROM events
             WHERE event_id = ?1 AND site_id = ?2",
        )?
        .query_row((event.event_id.as_bytes(), site_id), |r| {
            let offset: i64 = r.get(2)?;
            let place: (i64, u32, u64) = (r.get(0)?, r.get(1)?, offset as u64);
            Ok((place, Spot { payload_id: r.get(3)?, slot: r.get(4)? }))
        })
        .optional()?
        .ok_or_else(|| Failure::Corrupt("an event was there and is not".to_owned()))?;
    if place == event.place {
        return Ok(false);
    }
    add_repeat(tx, event.event_id, site_id, place.max(event.place))?;
    if place < event.place {
        return Ok(false);
    }
    let lost = || Failure::Corrupt(format!("payload {} is missing", old.payload_id));
    let replaced = Payload::load(tx, old.payload_id)?.ok_or_else(lost)?.event(old.slot)?;
    for person in person::keys_of(&replaced.event) {
        remove_from_timeline(tx, person, replaced.event.original_at.0, event.event_id)?;
    }
    let (received_at, partition, offset) = event.place;
    tx.prepare_cached(
        "UPDATE events SET received_at = ?3, log_partition = ?4, log_offset = ?5, payload_id = ?6, slot = ?7
         WHERE event_id = ?1 AND site_id = ?2",
    )?
    .execute((event.event_id.as_bytes(), site_id, received_at, partition, offset as i64, spot.payload_id, spot.slot))?;
    // What no index leads to could not be erased later.
    payload::remove(tx, compressor, old.payload_id, |_| false)?;
    Ok(true)
}

/// Takes one event out of one timeline.
pub(super) fn remove_from_timeline(tx: &Transaction<'_>, person: i64, original_at: i64, event_id: Uuid) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM timelines WHERE person = ?1 AND original_at = ?2 AND event_id = ?3")?.execute((
        person,
        original_at,
        event_id.as_bytes(),
    ))?;
    Ok(())
}

fn add_to_timelines(tx: &Transaction<'_>, events: &[Ready], spots: &[Spot], kept: &[bool]) -> Result<(), Failure> {
    let mut rows: Vec<_> = events
        .iter()
        .zip(spots)
        .zip(kept)
        .filter(|(_, kept)| **kept)
        .flat_map(|((e, spot), _)| e.persons.iter().map(move |p| (*p, e.original_at, e.event_id, *spot)))
        .collect();
    rows.sort_unstable_by_key(|(person, at, id, _)| (*person, *at, *id));
    let mut insert = tx
        .prepare_cached("INSERT OR REPLACE INTO timelines (person, original_at, event_id, payload_id, slot) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (person, original_at, event_id, spot) in rows {
        insert.execute((person, original_at, event_id.as_bytes(), spot.payload_id, spot.slot))?;
    }
    Ok(())
}

/// Writes the payloads with an empty slot for each event that is not kept; returns their bytes.
fn write_payloads(
    tx: &Transaction<'_>,
    compressor: &mut zstd::bulk::Compressor<'_>,
    events: &[Ready],
    spots: &[Spot],
    kept: &[bool],
) -> Result<u64, Failure> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_unstable_by_key(|&i| (spots[i].payload_id, spots[i].slot));
    let mut insert = tx.prepare_cached("INSERT INTO payloads (id, oldest_received_at, checksum, data) VALUES (?1, ?2, ?3, ?4)")?;
    let mut written = 0;
    let mut body = Vec::new();
    for some in order.chunks(SLOTS) {
        let oldest = some.iter().filter(|&&i| kept[i]).map(|&i| events[i].place.0).min();
        let Some(oldest) = oldest else { continue };
        body.clear();
        for &i in some {
            let (_, partition, offset) = events[i].place;
            if kept[i] {
                payload::push(&mut body, partition, offset, &events[i].json);
            } else {
                payload::push_empty(&mut body);
            }
        }
        let id = spots[some[0]].payload_id;
        let packed = pack(id, &body, compressor)?;
        insert.execute((id, oldest, packed.checksum, &packed.data))?;
        written += packed.data.len() as u64;
    }
    Ok(written)
}
