//! The ledger as metrics: shown by the host that computed it last, and taken back when another does.

use std::sync::{Mutex, PoisonError};

use clickstream_log::EVENTS;
use clickstream_telemetry::metric;
use clickstream_warehouse::LedgerRow;
use metrics::Gauge;

use crate::LedgerGap;

/// What shows the ledger as it was last computed here.
#[derive(Default)]
pub(crate) struct Shown(Mutex<Vec<Gauge>>);

impl Shown {
    /// Shows the rows of the log `log_id`, and its gaps.
    pub(crate) fn show(&self, rows: &[LedgerRow], gaps: &[LedgerGap], log_id: &str) {
        let mut shown = Vec::new();
        let mut show = |gauge: Gauge, value: f64| {
            gauge.set(value);
            shown.push(gauge);
        };
        for row in rows.iter().filter(|row| row.log_id == log_id) {
            let partition = row.log_partition.to_string();
            for (step, records) in steps(row) {
                show(
                    metrics::gauge!(metric::LEDGER, "topic" => row.topic.clone(), "partition" => partition.clone(), "step" => step),
                    records as f64,
                );
            }
            show(
                metrics::gauge!(metric::LEDGER_UNACCOUNTED, "topic" => row.topic.clone(), "partition" => partition.clone()),
                row.unaccounted as f64,
            );
            if row.topic == EVENTS {
                let open = gaps.iter().filter(|gap| !gap.accepted && gap.log_partition == row.log_partition);
                let missing: u64 = open.map(|gap| gap.to - gap.from).sum();
                show(metrics::gauge!(metric::LEDGER_GAPS, "partition" => partition), missing as f64);
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// Shows that nothing is known any more (NaN).
    pub(crate) fn withdraw(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|gauge| gauge.set(f64::NAN));
    }
}

fn steps(row: &LedgerRow) -> [(&'static str, u64); 11] {
    [
        ("logged", row.logged),
        ("stored", row.stored),
        ("landed", row.landed),
        ("loaded", row.loaded),
        ("settled", row.settled),
        ("duplicates", row.duplicates),
        ("erased", row.erased),
        ("dead_letters", row.dead_letters),
        ("missing", row.missing),
        ("expired", row.expired),
        ("pending", row.pending),
    ]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    };

    use metrics::{Counter, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    use super::*;

    /// Gauges by their names and labels.
    #[derive(Default)]
    struct Gauges(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Recorder for Gauges {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(Arc::clone(self.0.lock().unwrap().entry(key.to_string()).or_default()))
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    impl Gauges {
        fn of(&self, name: &str) -> Vec<f64> {
            let all = self.0.lock().unwrap();
            all.iter().filter(|(key, _)| key.contains(name)).map(|(_, bits)| f64::from_bits(bits.load(Ordering::Relaxed))).collect()
        }
    }

    #[test]
    fn a_host_that_no_longer_has_the_work_shows_no_ledger() {
        let row = LedgerRow {
            at: 0,
            topic: EVENTS.to_owned(),
            log_id: "l".to_owned(),
            log_partition: 1,
            logged: 10,
            stored: 10,
            landed: 10,
            loaded: 9,
            settled: 9,
            duplicates: 1,
            erased: 0,
            dead_letters: 0,
            missing: 0,
            expired: 0,
            pending: 0,
            rejected: 0,
            unaccounted: -3,
        };
        let gap = |from, to, accepted| LedgerGap { log_id: "l".to_owned(), log_partition: 1, from, to, in_log: false, accepted };
        let (gauges, shown) = (Gauges::default(), Shown::default());
        metrics::with_local_recorder(&gauges, || {
            let former = LedgerRow { log_id: "former".to_owned(), log_partition: 7, ..row.clone() };
            shown.show(&[row, former], &[gap(2, 5, false), gap(6, 9, true)], "l");
        });
        assert_eq!(gauges.of(metric::LEDGER_UNACCOUNTED), [-3.0]);
        assert_eq!(gauges.of(metric::LEDGER_GAPS), [3.0], "accepted gaps do not count, nor other logs");
        assert_eq!(gauges.of(metric::LEDGER).len(), 11);
        shown.withdraw();
        let left = [metric::LEDGER, metric::LEDGER_UNACCOUNTED, metric::LEDGER_GAPS].map(|name| gauges.of(name)).concat();
        assert!(left.len() == 13 && left.iter().all(|value| value.is_nan()), "{left:?}");
    }
}
