//! unspill, whenever something waits.

use std::sync::Arc;

use clickstream_unspill::Unspill;

use super::{Actor, Run};
use crate::{
    life::Life,
    port::{log::LogPort, objects::ObjectsPort},
    world::World,
};

/// Returns what was spilled.
#[derive(Default)]
pub struct Unspiller(Option<Arc<Unspill>>);

impl Actor for Unspiller {
    fn name(&self) -> String {
        "unspill".to_owned()
    }

    fn wants(&self, world: &World) -> bool {
        !world.bucket.keys("spill/").is_empty()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let made = || {
            let log = Arc::new(LogPort::new(&world.log, life));
            Arc::new(Unspill::new(log, Arc::new(ObjectsPort::new(&world.bucket, life))))
        };
        let unspill = Arc::clone(self.0.get_or_insert_with(made));
        Box::pin(async move { unspill.run().await.map(drop).map_err(|e| e.to_string()) })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.0 = None;
    }
}
