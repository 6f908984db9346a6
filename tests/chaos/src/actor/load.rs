//! load, with the loop that `host/src/up/notified.rs` has around it.

use std::sync::Arc;

use clickstream_load::Load;
use clickstream_objects::Notification;

use super::{Actor, Run, tombstones};
use crate::{
    fault::{Boundary, Fault},
    life::Life,
    port::{objects::ObjectsPort, warehouse::WarehousePort},
    world::World,
};

/// Takes notifications one by one.
pub struct Loader {
    number: usize,
    load: Option<Arc<Load>>,
}

impl Loader {
    pub fn new(number: usize) -> Self {
        Self { number, load: None }
    }
}

/// load in one process.
fn load(world: &World, life: &Arc<Life>) -> Arc<Load> {
    let objects = Arc::new(ObjectsPort::new(&world.bucket, life));
    let load = Load::new(objects.clone(), WarehousePort::new(&world.tables, life));
    Arc::new(load.with_tombstones(tombstones(objects)))
}

/// An announcement of `key`.
fn notification(key: String) -> Notification {
    Notification { bucket: "sim".to_owned(), key, etag: String::new(), size: 0 }
}

impl Actor for Loader {
    fn name(&self) -> String {
        format!("load-{}", self.number)
    }

    fn wants(&self, world: &World) -> bool {
        world.bucket.queue.has_work()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let load = Arc::clone(self.load.get_or_insert_with(|| load(world, life)));
        let (bucket, life) = (Arc::clone(&world.bucket), Arc::clone(life));
        let by = (life.actor, life.generation);
        Box::pin(async move {
            let (queue, sim) = (Arc::clone(&bucket), Arc::clone(&life.sim));
            let taken = life.perform(Boundary::Notification, &[Fault::NotDone], move |_| sim.random(|r| queue.queue.take(r, by)));
            let Some((id, key)) = taken.await.map_err(|_| "nothing was handed out".to_owned())? else { return Ok(()) };
            if let Err(error) = load.handle(&notification(key)).await {
                bucket.queue.refuse(id);
                return Err(error.to_string());
            }
            let queue = Arc::clone(&bucket);
            let acknowledged = life.perform(Boundary::Acknowledge, &[Fault::NotDone, Fault::Unanswered], move |_| queue.queue.done(id));
            acknowledged.await.map_err(|_| {
                bucket.queue.refuse(id);
                "not acknowledged".to_owned()
            })
        })
    }

    fn restarted(&mut self, world: &World, ended: &Life) {
        self.load = None;
        world.bucket.queue.release((ended.actor, ended.generation));
    }
}
