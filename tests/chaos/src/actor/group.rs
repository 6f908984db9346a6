//! Members of the consumer groups store and land, each with the loop that `host/src/up/polled.rs` has around them.

use std::sync::Arc;

use clickstream_land::Land;
use clickstream_log::{Batch, EVENTS, REJECTED};
use clickstream_store_events::StoreEvents;
use futures::future::BoxFuture;

use super::{Actor, Run, tombstones};
use crate::{
    life::Life,
    port::{
        log::{LOG_ID, LogPort},
        objects::ObjectsPort,
        store::StorePort,
    },
    world::World,
};

/// Tries of one batch: with half of all calls failing, a thousand in a row do not.
const TRIES: u32 = 1_000;

type Handle = Arc<dyn Fn(Arc<Batch>) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;
type Make = fn(&World, &Arc<Life>) -> Handle;

/// A member.
pub struct Member {
    group: &'static str,
    topics: &'static [&'static str],
    number: usize,
    make: Make,
    handle: Option<Handle>,
    member: std::cell::Cell<Option<u64>>,
}

impl Member {
    fn new(group: &'static str, topics: &'static [&'static str], number: usize, make: Make) -> Self {
        Self { group, topics, number, make, handle: None, member: std::cell::Cell::new(None) }
    }

    pub fn store(number: usize) -> Self {
        Self::new("store", &[EVENTS, REJECTED], number, |world, life| {
            let tombstones = tombstones(Arc::new(ObjectsPort::new(&world.bucket, life)));
            let store = Arc::new(StoreEvents::new(Arc::new(StorePort::new(&world.shelf, life))).with_tombstones(tombstones));
            Arc::new(move |batch| {
                let store = Arc::clone(&store);
                Box::pin(async move { store.handle(&batch).await.map_err(|e| e.to_string()) })
            })
        })
    }

    pub fn land(number: usize) -> Self {
        Self::new("land", &[EVENTS], number, |world, life| {
            let objects = Arc::new(ObjectsPort::new(&world.bucket, life));
            let land = Arc::new(Land::new(objects.clone(), LOG_ID.to_owned()).with_tombstones(tombstones(objects)));
            Arc::new(move |batch| {
                let land = Arc::clone(&land);
                Box::pin(async move { land.handle(&batch).await.map(drop).map_err(|e| e.to_string()) })
            })
        })
    }

    /// Which member of the group this process is; it joins when it is first asked.
    fn member(&self, world: &World) -> u64 {
        let member = self.member.get().unwrap_or_else(|| world.log.join(self.group, self.topics));
        self.member.set(Some(member));
        member
    }
}

impl Actor for Member {
    fn name(&self) -> String {
        format!("{}-{}", self.group, self.number)
    }

    fn wants(&self, world: &World) -> bool {
        world.log.has_work(self.group, self.member(world))
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (group, member) = (self.group, self.member(world));
        let handle = Arc::clone(self.handle.get_or_insert_with(|| (self.make)(world, life)));
        let log = LogPort::new(&world.log, life);
        Box::pin(async move {
            let Some(in_hand) = log.take(group, member).await.map_err(|e| e.to_string())? else { return Ok(()) };
            let mut tries = 0;
            while let Err(error) = handle(Arc::clone(&in_hand.batch)).await {
                tries += 1;
                if tries >= TRIES {
                    return Err(format!("a batch is never done: {error}"));
                }
            }
            if let Err(error) = log.commit(group, &in_hand).await {
                log.rewind(group, &in_hand);
                return Err(error.to_string());
            }
            Ok(())
        })
    }

    fn restarted(&mut self, world: &World, _: &Life) {
        self.handle = None;
        if let Some(member) = self.member.take() {
            world.log.leave(self.group, member);
        }
    }
}
