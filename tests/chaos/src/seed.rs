//! One seed, from its first request to the checker's word.

use std::{sync::Arc, time::Duration};

use clickstream_log::EVENTS;
use tokio::runtime::Builder;

use crate::{
    actor::cast,
    check::{self, Promise, Violation},
    drive::Drive,
    fault::Tally,
    plan::Plan,
    sim::Sim,
    world::{Phase, World},
};

/// No seed takes longer, on any machine.
const LONGEST: Duration = Duration::from_mins(2);

/// How to run a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The step that is broken.
    #[cfg(feature = "faults")]
    pub broken: Option<crate::Switch>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Turns given.
    pub turns: u64,
    /// Events that clients were told are kept.
    pub accepted: usize,
    /// Versions of the lake.
    pub versions: u64,
    /// The promise that was broken.
    pub violation: Option<Violation>,
    /// What was injected.
    pub tally: Tally,
    /// Every turn, one line each: the same for the same seed.
    pub trace: Vec<String>,
}

/// Runs `seed`.
///
/// # Panics
/// If the operating system gives no thread.
pub fn run(seed: u64, options: Options) -> Outcome {
    let plan = Plan::of(seed);
    #[cfg(feature = "faults")]
    let sim = Sim::new(seed, plan.odds.clone(), options.broken);
    #[cfg(not(feature = "faults"))]
    let sim = {
        let Options {} = options;
        Sim::new(seed, plan.odds.clone())
    };
    let world = World::new(Arc::clone(&sim), &plan);
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let late = Err(Violation::new(Promise::Ends, format!("it is not done within {} s", LONGEST.as_secs())));
    let ended = runtime.block_on(async { tokio::time::timeout(LONGEST, play(seed, &plan, &world)).await.unwrap_or(late) });
    runtime.shutdown_background();
    let accepted = world.told().accepted.len();
    Outcome {
        seed,
        turns: sim.turn(),
        accepted,
        versions: world.bucket.versions(),
        violation: ended.err(),
        tally: sim.tally(),
        trace: sim.trace(),
    }
}

async fn play(seed: u64, plan: &Plan, world: &Arc<World>) -> Result<(), Violation> {
    let mut drive = Drive::new(world, cast(seed, plan), &plan.losses);
    let sim = &world.sim;
    // Requests are sent and everything goes wrong; halfway the topic gets more partitions.
    let mut grown = plan.more_partitions == 0;
    let grows_at = plan.after + 20;
    let mut done_at = None;
    drive
        .go(Phase::Faults, |drive| {
            if !grown && sim.turn() >= grows_at {
                grown = true;
                world.log.create(EVENTS, plan.partitions + plan.more_partitions);
            }
            if done_at.is_none() && drive.clients_are_done() {
                done_at = Some(sim.turn());
            }
            sim.turn() >= plan.longest || done_at.is_some_and(|at| sim.turn() >= at + plan.after)
        })
        .await?;
    // Nothing goes wrong any more: what was accepted is seen before it is settled, and when it is; who is to be erased is
    // gone, and stays gone when all is played again; and every store agrees with every other.
    sim.calm();
    drive.go(Phase::Fresh, |_| false).await?;
    check::fresh(world)?;
    drive.go(Phase::Settling, |_| false).await?;
    drive.go(Phase::Closing, |_| false).await?;
    check::settled(world)
}
