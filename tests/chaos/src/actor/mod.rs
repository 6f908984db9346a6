//! Who acts: each a function with the loop around it that its host has, or a client.
//!
//! A new one needs an implementation of [`Actor`] and a line in [`cast`].

mod client;
mod compact;
mod erase;
mod group;
mod load;
mod maintain;
mod reconcile;
mod replay;
mod settle;
mod unspill;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use clickstream_erasure::Tombstones;
use clickstream_objects::SharedObjects;
use futures::future::BoxFuture;

use crate::{
    life::Life,
    plan::Plan,
    traffic,
    world::{Phase, World},
};

/// One run of an actor. An error is one that its host logs before it tries again.
pub type Run = BoxFuture<'static, Result<(), String>>;

/// Somebody who acts, one run after the other.
pub trait Actor {
    /// What it is called in traces.
    fn name(&self) -> String;
    /// True while it has something to do.
    fn wants(&self, world: &World) -> bool;
    /// Begins a run in the process `life`.
    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run;
    /// The process is gone, with all that was in its memory.
    fn restarted(&mut self, world: &World, ended: &Life);
    /// True if it begins runs in this phase. One whose work makes `fresh` superfluous waits while what is fresh is checked.
    fn begins_in(&self, phase: Phase) -> bool {
        let _ = phase;
        true
    }
    /// True for one that ends: a client.
    fn is_client(&self) -> bool {
        false
    }
}

/// Everybody, by the plan.
pub fn cast(seed: u64, plan: &Plan) -> Vec<Box<dyn Actor>> {
    let mut cast: Vec<Box<dyn Actor>> = Vec::new();
    for (number, requests) in traffic::requests(seed, plan).into_iter().enumerate() {
        cast.push(Box::new(client::Client::new(number, requests)));
    }
    for number in 0..plan.members {
        cast.push(Box::new(group::Member::store(number)));
        cast.push(Box::new(group::Member::land(number)));
    }
    for number in 0..plan.loads {
        cast.push(Box::new(load::Loader::new(number)));
    }
    for (number, (shard, of)) in plan.compactions.iter().enumerate() {
        cast.push(Box::new(compact::Compactor::new(number, *shard, *of)));
    }
    for number in 0..plan.settlers {
        cast.push(Box::new(settle::Settler::new(number)));
    }
    cast.push(Box::new(unspill::Unspiller::default()));
    cast.push(Box::new(reconcile::Reconciler::new(plan.reconciles.clone())));
    if plan.merges {
        cast.push(Box::new(maintain::Merger::default()));
    }
    if plan.vacuums {
        cast.push(Box::new(maintain::Vacuumer::default()));
    }
    if !plan.replays.is_empty() {
        cast.push(Box::new(replay::Replayer::new(&plan.replays)));
    }
    if !plan.erasures.is_empty() {
        let jobs = Arc::new(Mutex::new(plan.erasures.iter().cloned().collect()));
        for number in 0..plan.erasers {
            cast.push(Box::new(erase::Eraser::new(number, &jobs)));
        }
    }
    cast
}

/// Whose events are erased, as one process knows; looked up whenever it matters, as no clock says how old a look is.
fn tombstones(objects: SharedObjects) -> Arc<Tombstones> {
    Arc::new(Tombstones::new(objects, None).with_recent(Duration::ZERO))
}
