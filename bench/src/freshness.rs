//! From the acknowledgement of an event until reports show it.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{report, service::Service};

/// First look at an event after its acknowledgement.
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// Pause between two looks; what is measured is at most this too long.
const PAUSE: Duration = Duration::from_millis(200);
/// Looks end after this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Takes an event now and then out of what is acknowledged.
pub struct Picker {
    wanted: AtomicBool,
    picked: UnboundedSender<(Uuid, Instant)>,
}

/// What was seen of the events picked.
pub struct Freshness {
    times: Histogram<u64>,
    unseen: u64,
}

impl Picker {
    /// A picker, and where its picks come out.
    pub fn new() -> (Self, UnboundedReceiver<(Uuid, Instant)>) {
        let (picked, picks) = unbounded_channel();
        (Self { wanted: AtomicBool::new(false), picked }, picks)
    }

    /// Wants an event every `period`, until it is dropped.
    pub async fn tick(&self, period: Duration) -> Infallible {
        loop {
            sleep(period).await;
            self.wanted.store(true, Ordering::Relaxed);
        }
    }

    /// To be told of every acknowledgement.
    pub fn acknowledged(&self, event: Uuid) {
        if self.wanted.swap(false, Ordering::Relaxed) {
            // Nobody watches any more: the run is over.
            let _ = self.picked.send((event, Instant::now()));
        }
    }
}

/// Asks for the trace of each picked event until it is visible.
pub async fn watch(service: Service, mut picks: UnboundedReceiver<(Uuid, Instant)>) -> anyhow::Result<Freshness> {
    let mut looks = JoinSet::new();
    while let Some((event, acknowledged)) = picks.recv().await {
        looks.spawn(look(service.clone(), event, acknowledged));
    }
    let mut freshness = Freshness { times: Histogram::new(3)?, unseen: 0 };
    while let Some(seen) = looks.join_next().await {
        match seen? {
            Some(time) => freshness.times.record(time.as_micros() as u64)?,
            None => freshness.unseen += 1,
        }
    }
    Ok(freshness)
}

/// None if it was not seen in time. A service under more than it can take may answer late or not at all.
async fn look(service: Service, event: Uuid, acknowledged: Instant) -> Option<Duration> {
    sleep(FIRST_LOOK).await;
    while acknowledged.elapsed() < PATIENCE {
        match service.shows(event).await {
            Ok(true) => return Some(acknowledged.elapsed()),
            Ok(false) => {}
            Err(error) => eprintln!("the trace of {event}: {error:#}"),
        }
        sleep(PAUSE).await;
    }
    None
}

impl Freshness {
    /// One row.
    pub fn print(&self) {
        let times = report::seconds(&self.times, &[0.5, 0.95]);
        let unseen = if self.unseen == 0 { String::new() } else { format!(", {} not seen within {} s", self.unseen, PATIENCE.as_secs()) };
        report::row("acknowledged until visible in ClickHouse", &format!("{times} ({} events watched{unseen})", self.times.len()));
    }
}
