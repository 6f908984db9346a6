//! Believable events in the order in which they were taken, some of them sent again, as objects of both formats.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arrow::datatypes::DataType;
use clickstream_columns::event_schema;
use clickstream_event::{Arrival, Event, Micros, Outcome, Shape, Site, Source, admit, parse_record};
use clickstream_testkit::traffic::{Traffic, TrafficOptions};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use uuid::Builder;

use super::{
    Events, LOG,
    landing::{Cost, Object},
};

/// Partitions of the log.
const PARTITIONS: u64 = 4;
/// Events of a request: they are taken at one moment.
const BATCH: u64 = 20;
/// A repeat is one of so many events before it.
const REMEMBERED: usize = 20_000;
/// Mean time between two events, µs: 500 a second.
const STEP: i64 = 2_000;
/// 2026-11-24T08:00:00Z.
const BEGIN: Micros = Micros(1_795_507_200 * Micros::SECOND);

/// Events made ahead; more are these in turn, with other ids, times, people and sessions.
const AHEAD: u64 = 200_000;

/// Writes `events` events in `objects` objects, a share of them repeats of others; what landing them cost.
pub fn write(folder: &Path, options: &Events) -> anyhow::Result<Cost> {
    anyhow::ensure!(options.objects.is_multiple_of(PARTITIONS), "--objects is a multiple of {PARTITIONS}");
    let mut random = StdRng::seed_from_u64(6);
    let ahead = ahead(options.events.min(AHEAD), options.lean)?;
    let mut recent: VecDeque<(u64, Event)> = VecDeque::with_capacity(REMEMBERED);
    let mut landing = Landing::new(folder, options)?;
    for number in 0..options.events {
        let mut partition = number / BATCH % PARTITIONS;
        let mut event = another(&ahead, number, &mut random);
        if !recent.is_empty() && random.random_bool(options.repeats / 100.0) {
            let (of, repeated) = &recent[random.random_range(0..recent.len())];
            (partition, event) = (*of, Event { received_at: event.received_at, ..repeated.clone() });
        }
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back((partition, event.clone()));
        landing.take(partition, &event)?;
    }
    fs::write(folder.join("columns.json"), serde_json::to_vec(&columns())?)?;
    landing.finish()
}

/// Events in the order of time, as collect makes them of believable traffic.
fn ahead(count: u64, lean: bool) -> anyhow::Result<Vec<Event>> {
    let sites = ["shop", "blog", "docs"].map(|name| Site::new(name, name));
    let mut traffic =
        Traffic::new(TrafficOptions { seed: 6, sites: sites.iter().map(|s| s.site_id.clone()).collect(), start: BEGIN, step: STEP });
    let mut received_at = BEGIN;
    let mut events = Vec::with_capacity(count as usize);
    for number in 0..count {
        let happened = traffic.next_event();
        if number.is_multiple_of(BATCH) {
            received_at = happened.at.plus(350_000);
        }
        let site = sites.iter().find(|site| site.site_id == happened.site).context("a site of ours")?;
        let event = accepted(&happened.to_segment(), site, received_at)?;
        events.push(if lean { leaner(event) } else { event });
    }
    Ok(events)
}

/// The event at `number`, with an id of its own; each turn through those made ahead is a later time and other people.
fn another(ahead: &[Event], number: u64, random: &mut StdRng) -> Event {
    let (turn, index) = (number / ahead.len() as u64, (number % ahead.len() as u64) as usize);
    let event = &ahead[index];
    let span = ahead[ahead.len() - 1].received_at.0 - BEGIN.0;
    let later = |at: Micros| at.plus(turn as i64 * span);
    // Past the `a-` and `u-` of people's names.
    let other = |name: &Option<String>, at: usize| name.as_ref().map(|name| format!("{}{turn:x}{}", &name[..at], &name[at..]));
    Event {
        event_id: Builder::from_random_bytes(random.random()).into_uuid(),
        original_at: later(event.original_at),
        occurred_at: later(event.occurred_at),
        sent_at: event.sent_at.map(later),
        received_at: later(event.received_at),
        session_id: other(&event.session_id, 0),
        anonymous_id: other(&event.anonymous_id, 2),
        user_id: other(&event.user_id, 2),
        ..event.clone()
    }
}

/// The event as collect makes it.
fn accepted(segment: &serde_json::Value, site: &Site, received_at: Micros) -> anyhow::Result<Event> {
    let raw = parse_record(segment.to_string().as_bytes(), Shape::Segment)?;
    let sent_at = received_at.plus(-50_000).to_string();
    let arrival = Arrival {
        received_at,
        source: Source::Http,
        ip: Some([203, 0, 113, 9].into()),
        user_agent: None,
        country: Some("DE"),
        sent_at: Some(&sent_at),
    };
    match admit(&raw, site, &arrival) {
        Outcome::Accepted(event, _) => Ok(*event),
        Outcome::Rejected(rejection) => anyhow::bail!("an event was rejected: {:?}", rejection.reasons),
    }
}

/// The event without what a site may choose not to have.
fn leaner(event: Event) -> Event {
    Event { sent_at: None, country: None, ip: None, user_agent: None, locale: None, library: None, ..event }
}

/// Names and kinds of the columns that every compactor writes.
fn columns() -> serde_json::Value {
    let kind = |kind: &DataType| match kind {
        DataType::Int32 => "int32",
        DataType::Int64 => "int64",
        DataType::Boolean => "bool",
        DataType::Timestamp(..) => "moment",
        DataType::List(_) => "list",
        _ => "text",
    };
    event_schema().fields().iter().map(|field| json!({ "name": field.name(), "kind": kind(field.data_type()) })).collect()
}

/// Partitions that are being landed.
struct Landing {
    folder: PathBuf,
    /// Rows of an object; the last one of a partition takes what is left.
    rows: u64,
    /// Objects of a partition.
    objects: u64,
    /// Whether they are written as NDJSON too.
    ndjson: bool,
    open: Vec<Object>,
    written: Vec<u64>,
    cost: Cost,
}

impl Landing {
    fn new(folder: &Path, options: &Events) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("ndjson"))?;
        Ok(Self {
            folder: folder.to_owned(),
            rows: (options.events / options.objects).max(1),
            objects: options.objects / PARTITIONS,
            ndjson: !options.raw_alone,
            open: (0..PARTITIONS).map(|partition| Object::new(partition as u32, 0)).collect(),
            written: vec![0; PARTITIONS as usize],
            cost: Cost::default(),
        })
    }

    fn take(&mut self, partition: u64, event: &Event) -> anyhow::Result<()> {
        let index = partition as usize;
        self.open[index].take(event)?;
        if self.open[index].rows() >= self.rows && self.written[index] + 1 < self.objects {
            self.write(index)?;
        }
        Ok(())
    }

    fn write(&mut self, index: usize) -> anyhow::Result<()> {
        let next = Object::new(index as u32, self.open[index].next());
        std::mem::replace(&mut self.open[index], next).write(&self.folder, LOG, self.ndjson, &mut self.cost)?;
        self.written[index] += 1;
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<Cost> {
        for index in 0..self.open.len() {
            if self.open[index].rows() > 0 {
                self.write(index)?;
            }
        }
        Ok(self.cost)
    }
}
