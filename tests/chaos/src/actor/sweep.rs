//! Looks through raw/ for objects whose announcement was lost, and has them loaded.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clickstream_load::Load;
use clickstream_objects::Objects as _;

use super::{
    Actor, Run,
    load::{load, notification},
};
use crate::{life::Life, port::objects::ObjectsPort, world::World};

/// Goes through all raw objects; load passes over those that are settled.
#[derive(Default)]
pub struct Sweeper {
    load: Option<Arc<Load>>,
    /// How many announcements had been lost when the last sweep that came to its end began.
    seen: Arc<AtomicU64>,
}

impl Actor for Sweeper {
    fn name(&self) -> String {
        "sweep".to_owned()
    }

    fn wants(&self, world: &World) -> bool {
        #[cfg(feature = "faults")]
        if world.sim.broken(crate::Switch::LoseNotifications) {
            return false;
        }
        world.sim.is_calm() && self.seen.load(Ordering::SeqCst) != world.bucket.queue.lost()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let load = Arc::clone(self.load.get_or_insert_with(|| load(world, life)));
        let (objects, seen, lost) = (ObjectsPort::new(&world.bucket, life), Arc::clone(&self.seen), world.bucket.queue.lost());
        Box::pin(async move {
            for object in objects.list("raw/events/", None, usize::MAX).await.map_err(|e| e.to_string())? {
                load.handle(&notification(object.key)).await.map_err(|e| e.to_string())?;
            }
            seen.store(lost, Ordering::SeqCst);
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.load = None;
    }
}
