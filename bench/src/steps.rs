//! How far the steps between the log and what is kept are behind: while events come, and after the last.

use std::time::Duration;

use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep},
};

use crate::{
    report::{row, thousands},
    service::{Service, Step},
};

/// Between two looks while events come.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks while what waits is worked off.
const LOOK_AFTER: Duration = Duration::from_millis(200);
/// What waits must be worked off within this time.
const PATIENCE: Duration = Duration::from_hours(1);
/// Those that must have done all before reports are asked, as `/v1/status` names them.
const DRAINED: [&str; 3] = ["store", "land", "load"];
/// Of them, those whose end makes everything visible.
const TO_WAREHOUSE: [&str; 2] = ["land", "load"];

/// The most that each step was behind.
#[derive(Default)]
pub struct MostBehind {
    steps: Vec<Step>,
    looks: u64,
    /// Looks that got no answer.
    unanswered: u64,
}

/// Looks until the sender of `over` is dropped.
pub async fn most_behind(service: Service, mut over: Receiver<()>) -> anyhow::Result<MostBehind> {
    let mut most = MostBehind::default();
    loop {
        tokio::select! {
            _ = over.changed() => return Ok(most),
            () = sleep(LOOK) => {}
        }
        most.looks += 1;
        match service.steps().await {
            Ok(steps) => most.saw(steps),
            Err(error) => {
                eprintln!("how far the steps are: {error:#}");
                most.unanswered += 1;
            }
        }
    }
}

impl MostBehind {
    fn saw(&mut self, steps: Vec<Step>) {
        for step in steps {
            let known = self.steps.iter_mut().find(|known| known.step == step.step && known.reads == step.reads);
            let Some(known) = known else {
                self.steps.push(step);
                continue;
            };
            known.lag = known.lag.max(step.lag);
            known.oldest_s = known.oldest_s.into_iter().chain(step.oldest_s).reduce(f64::max);
        }
    }

    /// A row for each step that was behind.
    pub fn print(&self) {
        for Step { step, reads, lag, unit, oldest_s } in self.steps.iter().filter(|step| step.lag > 0) {
            let oldest = oldest_s.map_or_else(String::new, |s| format!(", the oldest {s:.1} s old"));
            row(&format!("most that waited for {step} ({reads})"), &format!("{} {unit}{oldest}", thousands(*lag)));
        }
        if self.unanswered > 0 {
            row("looks at what waits", &format!("{}, {} of them not answered", self.looks, self.unanswered));
        }
    }
}

/// How what waited after the last answer was worked off.
pub struct Drained(Vec<Work>);

struct Work {
    /// As it was at the beginning.
    step: Step,
    /// Until nothing waited.
    took: Option<Duration>,
}

/// Waits until nothing waits for any of the steps before compaction.
pub async fn drain(service: &Service) -> anyhow::Result<Drained> {
    let began = Instant::now();
    let mut drained = Drained(Vec::new());
    loop {
        match service.steps().await {
            Ok(steps) => drained.saw(steps, began.elapsed()),
            Err(error) => eprintln!("how far the steps are: {error:#}"),
        }
        if drained.is_over() {
            return Ok(drained);
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "what waits is not worked off within {} s", PATIENCE.as_secs());
        sleep(LOOK_AFTER).await;
    }
}

impl Drained {
    fn saw(&mut self, steps: Vec<Step>, after: Duration) {
        for step in steps.into_iter().filter(|step| DRAINED.contains(&step.step.as_str())) {
            let nothing = step.lag == 0;
            let known = self.0.iter_mut().find(|known| known.step.step == step.step && known.step.reads == step.reads);
            let work = match known {
                Some(known) => known,
                None => self.0.push_mut(Work { step, took: None }),
            };
            // What land writes may wait for load again.
            work.took = if nothing { work.took.or(Some(after)) } else { None };
        }
    }

    fn is_over(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|work| work.took.is_some())
    }

    /// Until all was in `ClickHouse`.
    pub fn visible(&self) -> Duration {
        let to_warehouse = self.0.iter().filter(|work| TO_WAREHOUSE.contains(&work.step.step.as_str()));
        to_warehouse.filter_map(|work| work.took).max().unwrap_or_default()
    }

    /// The most events that waited for one step at the beginning.
    pub fn events(&self) -> u64 {
        self.events_behind().map(|work| work.step.lag).max().unwrap_or_default()
    }

    /// A row for each step for which events waited.
    pub fn print(&self) {
        for Work { step: Step { step, reads, lag, .. }, took } in self.events_behind() {
            let seconds = took.unwrap_or_default().as_secs_f64();
            let rate = thousands((*lag as f64 / seconds.max(f64::MIN_POSITIVE)) as u64);
            row(&format!("worked off by {step} ({reads})"), &format!("**{rate} a second**, {} events in {seconds:.1} s", thousands(*lag)));
        }
    }

    fn events_behind(&self) -> impl Iterator<Item = &Work> {
        self.0.iter().filter(|work| work.step.lag > 0 && work.step.unit == "events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: &str, lag: u64, oldest_s: Option<f64>) -> Step {
        Step { step: step.to_owned(), reads: "events".to_owned(), lag, unit: "events".to_owned(), oldest_s }
    }

    #[test]
    fn the_most_of_each_step_is_kept() {
        let mut most = MostBehind::default();
        most.saw(vec![step("store", 5, Some(0.5)), step("land", 0, None)]);
        most.saw(vec![step("store", 3, Some(2.0)), step("land", 7, Some(0.1))]);
        let seen: Vec<_> = most.steps.iter().map(|s| (s.lag, s.oldest_s)).collect();
        assert_eq!(seen, [(5, Some(2.0)), (7, Some(0.1))]);
    }

    #[test]
    fn what_waits_again_is_not_worked_off() {
        let mut drained = Drained(Vec::new());
        let at = Duration::from_secs;
        drained.saw(vec![step("land", 9, None), step("load", 0, None), step("compact", 9, None)], at(0));
        assert!(!drained.is_over());
        drained.saw(vec![step("land", 0, None), step("load", 2, None)], at(1));
        drained.saw(vec![step("land", 0, None), step("load", 0, None)], at(2));
        assert!(drained.is_over());
        assert_eq!(drained.visible(), at(2));
        let took: Vec<_> = drained.0.iter().map(|work| work.took).collect();
        assert_eq!(took, [Some(at(1)), Some(at(2))]);
    }
}
