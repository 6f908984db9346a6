//! erase, in a process of its own: asked for a person at some turn, then step after step until the receipt stands, whoever
//! began it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use clickstream_erase::{Erase, EraseRequest, Settles, Step, Timing};
use clickstream_settle::Settle;
use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Actor, Run, compact::lake, tombstones};
use crate::{
    life::Life,
    plan::Erasure,
    port::{log::LogPort, objects::ObjectsPort, store::StorePort, warehouse::WarehousePort},
    traffic::Person,
    world::{Asked, Phase, SITES, World},
};

/// Nothing is waited for by the clock: what is under way is ([`Eraser::open`]).
const NO_WAIT: Timing =
    Timing { stored_within: Duration::ZERO, again_after: Duration::ZERO, settled_within: Duration::ZERO, topic_days: (7, 30) };

/// Who is to be erased.
pub type Jobs = Arc<Mutex<VecDeque<Erasure>>>;

/// Erases.
pub struct Eraser {
    number: usize,
    jobs: Jobs,
    erase: Arc<OnceCell<Erase>>,
}

/// Settles at once, as the host does for an erasure.
struct Now(Settle);

#[async_trait]
impl Settles for Now {
    async fn settle(&self) -> Result<(), String> {
        self.0.run().await.map(drop).map_err(|e| e.to_string())
    }
}

fn locked(jobs: &Jobs) -> MutexGuard<'_, VecDeque<Erasure>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(erasure: &Erasure) -> EraseRequest {
    let (user_id, anonymous_id) = match erasure.person {
        Person::User(id) => (Some(id.to_owned()), None),
        Person::Visitor(id) => (None, Some(id.to_owned())),
    };
    EraseRequest { site: SITES[erasure.site].0.to_owned(), user_id, anonymous_id }
}

/// True if every step may be begun now: the last look comes when nobody is at anything any more that began before the
/// lake's version was settled, as it comes half a minute later where there are clocks.
fn may_go_on(world: &World, id: Uuid, step: Step, but: Option<usize>) -> bool {
    let since = *world.progress().entry(id).and_modify(|(known, _)| *known = step).or_insert((step, u64::MAX));
    step != Step::Again || world.sim.under_way_since(but) > since.1
}

/// Notes how far an erasure is.
fn note(world: &World, id: Uuid, step: Step) {
    let turn = world.sim.turn();
    let mut progress = world.progress();
    let known = progress.entry(id).or_insert((step, u64::MAX));
    known.0 = step;
    if step > Step::Settle && known.1 == u64::MAX {
        known.1 = turn;
    }
}

impl Eraser {
    pub fn new(number: usize, jobs: &Jobs) -> Self {
        Self { number, jobs: Arc::clone(jobs), erase: Arc::default() }
    }

    fn is_due(&self, world: &World) -> bool {
        locked(&self.jobs).front().is_some_and(|job| world.phase() > Phase::Faults || world.sim.turn() >= job.from)
    }

    /// An erasure that is begun and not done, and need not wait.
    fn open(world: &World) -> Option<(String, Uuid)> {
        let of = |key: &String| {
            let id = key.strip_prefix("erasures/pending/")?.strip_suffix(".json")?.parse().ok()?;
            let bytes = world.bucket.get(&key.as_str().into()).ok()?.bytes;
            let site = serde_json::from_slice::<Value>(&bytes).ok()?["site_id"].as_str()?.to_owned();
            let step = world.progress().get(&id).map(|(step, _)| *step);
            step.is_none_or(|step| may_go_on(world, id, step, None)).then_some((site, id))
        };
        world.bucket.keys("erasures/pending/").iter().find_map(of)
    }
}

impl Actor for Eraser {
    fn name(&self) -> String {
        format!("erase-{}", self.number)
    }

    fn begins_in(&self, phase: Phase) -> bool {
        // A second one disturbs the first while everything goes wrong.
        phase == Phase::Faults || (phase != Phase::Fresh && self.number == 0)
    }

    fn wants(&self, world: &World) -> bool {
        self.is_due(world) || Self::open(world).is_some()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (world, life, cell, jobs) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.erase), Arc::clone(&self.jobs));
        let is_due = self.is_due(&world);
        Box::pin(async move {
            let opened = cell.get_or_try_init(|| async {
                let objects = Arc::new(ObjectsPort::new(&world.bucket, &life));
                let (lake, warehouse) = (lake(&world, &life).await?, || WarehousePort::new(&world.tables, &life));
                let settle = Settle::new(Arc::clone(&lake), warehouse());
                let (log, store) = (Arc::new(LogPort::new(&world.log, &life)), Arc::new(StorePort::new(&world.shelf, &life)));
                let erase = Erase::new(log, store, objects.clone(), lake, warehouse(), tombstones(objects));
                Ok::<_, String>(erase.with_settle(Arc::new(Now(settle))).with_timing(NO_WAIT))
            });
            let erase = opened.await?;
            let job = locked(&jobs).front().filter(|_| is_due).cloned();
            if let Some(job) = job {
                let begun = erase.begin(&request(&job)).await.map_err(|e| e.to_string())?;
                let asked = Asked { erasure: begun.erasure_id, site: SITES[job.site].0, person: job.person };
                world.told().erasures.push(asked);
                locked(&jobs).pop_front();
                return Ok(());
            }
            let Some((site, id)) = Self::open(&world) else { return Ok(()) };
            let mut next = erase.status(&site, id).await.map_err(|e| e.to_string())?.step;
            loop {
                note(&world, id, next);
                if !may_go_on(&world, id, next, Some(life.actor)) {
                    return Ok(());
                }
                if next > Step::Again {
                    return erase.run(&site, id).await.map(drop).map_err(|e| e.to_string());
                }
                next = erase.step(&site, id).await.map_err(|e| e.to_string())?;
            }
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.erase = Arc::default();
    }
}
