//! What is kept of each metric until it is printed.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use metrics::{CounterFn, GaugeFn, HistogramFn};

/// Samples kept of a histogram; of more, every second, every fourth, and so on.
const SAMPLES: usize = 4_096;

/// A counter.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}

/// A gauge.
#[derive(Default)]
pub struct Level(Mutex<Set>);

#[derive(Default)]
struct Set {
    value: f64,
    /// Whether it was set since it was taken.
    is_new: bool,
}

impl Level {
    /// What it was set to, if it was.
    pub fn take(&self) -> Option<f64> {
        let mut set = self.kept();
        std::mem::take(&mut set.is_new).then_some(set.value)
    }

    fn kept(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut set = self.kept();
        *set = Set { value: change(set.value), is_new: true };
    }
}

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        self.change(|old| old + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|old| old - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

/// A histogram.
#[derive(Default)]
pub struct Samples(Mutex<Sampled>);

#[derive(Default)]
struct Sampled {
    kept: Vec<f64>,
    /// Samples that are left out after each that is kept.
    left_out: usize,
    since: usize,
}

impl Samples {
    pub fn take(&self) -> Vec<f64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).kept
    }
}

impl HistogramFn for Samples {
    fn record(&self, value: f64) {
        let mut sampled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sampled.since < sampled.left_out && !sampled.kept.is_empty() {
            sampled.since += 1;
            return;
        }
        sampled.since = 0;
        sampled.kept.push(value);
        if sampled.kept.len() >= SAMPLES {
            let mut is_kept = false;
            sampled.kept.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            sampled.left_out = sampled.left_out * 2 + 1;
        }
    }
}
