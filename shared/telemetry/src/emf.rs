//! What an invocation of a function counted, as one line on standard output in `CloudWatch`'s Embedded Metric Format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>):
//! Lambda hands the line to the function's log group, and `CloudWatch` makes metrics of it.
//!
//! A metric of ours is one metric there, with the function as its only dimension, because each combination of dimensions
//! is paid for. What labels tell apart stands in the line's member `labels`, for queries of the logs.

mod kept;

use std::{
    collections::{BTreeMap, HashMap},
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use kept::{Count, Level, Samples};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::{Map, Value, json};

use crate::metric;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Clickstream";
/// Values that a metric may have in a line.
const VALUES: usize = 100;
/// What says nothing as one metric, and what AWS shows of functions itself; where it has labels, it stands in `labels`.
const LEFT_OUT: [&str; 6] =
    [metric::LEDGER, metric::CLIENT_REQUESTS, metric::CLIENT_SECONDS, metric::INVOCATIONS, metric::FUNCTION_SECONDS, metric::LAST_SUCCESS];

/// The metrics of this process. Clones are handles to the same.
#[derive(Clone)]
pub struct Emf {
    inner: Arc<Inner>,
}

struct Inner {
    /// The value of the dimension: what the function is called where it is deployed.
    function: String,
    /// Shortest time between two lines.
    pause: Duration,
    metrics: Mutex<Metrics>,
    printed: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Metrics {
    counts: HashMap<Key, Arc<Count>>,
    levels: HashMap<Key, Arc<Level>>,
    samples: HashMap<Key, Arc<Samples>>,
}

/// Another recorder counts in this process already.
#[derive(Debug, thiserror::Error)]
#[error("metrics are recorded already")]
pub struct Recorded;

/// Records the metrics of the function `function` from now on; [`Emf::print`] prints them, at most once in `pause`.
pub fn emf(function: String, pause: Duration) -> Result<Emf, Recorded> {
    let emf = Emf::new(function, pause);
    metrics::set_global_recorder(emf.clone()).map_err(|_| Recorded)?;
    Ok(emf)
}

impl Emf {
    fn new(function: String, pause: Duration) -> Self {
        let inner = Inner { function, pause, metrics: Mutex::default(), printed: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Prints what was counted since the last line, and begins anew. Nothing is printed where nothing was counted, or
    /// where the last line is younger than the pause: then the next one has it.
    pub fn print(&self, request_id: &str) {
        let mut printed = self.inner.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.is_some_and(|at| at.elapsed() < self.inner.pause) {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        if let Some(line) = self.line(request_id, now) {
            let mut out = std::io::stdout().lock();
            // Nobody reads metrics: that must not fail an invocation.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            *printed = Some(Instant::now());
        }
    }

    /// The line of what was counted by `now`, ms since 1970.
    fn line(&self, request_id: &str, now: u64) -> Option<String> {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut labels: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        let mut by_label = |key: &Key, value: f64| {
            let told = labelled(key);
            if !told.is_empty() {
                labels.entry(key.name().to_owned()).or_default().insert(told, value);
            }
        };
        let metrics = self.inner.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, count) in metrics.counts.iter().map(|(key, count)| (key, count.take())).filter(|(_, count)| *count > 0) {
            let sum = values.entry(key.name().to_owned()).or_insert_with(|| vec![0.0]);
            sum[0] += count as f64;
            by_label(key, count as f64);
        }
        // What is not known is none (NaN).
        for (key, level) in metrics.levels.iter().filter_map(|(key, level)| Some((key, level.take().filter(|level| level.is_finite())?))) {
            values.entry(key.name().to_owned()).or_default().push(level);
            by_label(key, level);
        }
        for (key, samples) in &metrics.samples {
            let taken = samples.take();
            if !taken.is_empty() {
                values.entry(key.name().to_owned()).or_default().extend(taken);
            }
        }
        drop(metrics);
        values.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
        if values.is_empty() {
            return None;
        }
        let named: Vec<Value> = values.keys().map(|name| json!({ "Name": name, "Unit": unit(name) })).collect();
        let mut line = Map::new();
        let directive = json!([{ "Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": named }]);
        line.insert("_aws".to_owned(), json!({ "Timestamp": now, "CloudWatchMetrics": directive }));
        line.insert("function".to_owned(), self.inner.function.clone().into());
        line.insert("request_id".to_owned(), request_id.into());
        for (name, values) in values {
            line.insert(name, shown(values));
        }
        if !labels.is_empty() {
            line.insert("labels".to_owned(), json!(labels));
        }
        Some(Value::Object(line).to_string())
    }
}

/// `source=http,verdict=valid`; the function is the line's own.
fn labelled(key: &Key) -> String {
    let told: Vec<String> =
        key.labels().filter(|label| label.key() != "function").map(|label| format!("{}={}", label.key(), label.value())).collect();
    told.join(",")
}

/// A number, or numbers. Of more than a line may have, so many evenly spaced by rank, the smallest and the largest among
/// them: how many there were says a counter.
fn shown(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    if values.len() > VALUES {
        let last = values.len() - 1;
        values = (0..VALUES).map(|n| values[n * last / (VALUES - 1)]).collect();
    }
    match values.as_slice() {
        [one] => json!(one),
        many => json!(many),
    }
}

/// What a metric is measured in, by its name.
fn unit(name: &str) -> &'static str {
    match name {
        name if name.ends_with("_seconds") => "Seconds",
        name if name.ends_with("_bytes") || name.ends_with("_bytes_total") => "Bytes",
        _ => "Count",
    }
}

impl Recorder for Emf {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(of(&mut self.inner.metrics.lock().unwrap_or_else(PoisonError::into_inner).counts, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(of(&mut self.inner.metrics.lock().unwrap_or_else(PoisonError::into_inner).levels, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(of(&mut self.inner.metrics.lock().unwrap_or_else(PoisonError::into_inner).samples, key))
    }
}

fn of<T: Default>(all: &mut HashMap<Key, Arc<T>>, key: &Key) -> Arc<T> {
    Arc::clone(all.entry(key.clone()).or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn counted(work: impl FnOnce()) -> (Emf, Option<Value>) {
        let emf = Emf::new("stack-collect".to_owned(), Duration::ZERO);
        metrics::with_local_recorder(&emf, work);
        let line = emf.line("r-1", 1_795_521_600_000);
        (emf, line.map(|line| serde_json::from_str(&line).unwrap()))
    }

    #[test]
    fn a_line_is_what_the_specification_asks_for() {
        let (emf, line) = counted(|| {
            metrics::counter!(metric::EVENTS, "source" => "http", "verdict" => "valid").increment(3);
            metrics::counter!(metric::EVENTS, "source" => "http", "verdict" => "rejected").increment(1);
            metrics::counter!(metric::REQUESTS, "function" => "collect", "status" => "200").increment(1);
            metrics::counter!(metric::LANDED_ROWS).increment(0);
            metrics::histogram!(metric::REQUEST_SECONDS, "function" => "collect").record(0.004);
            metrics::gauge!(metric::LEDGER_UNACCOUNTED, "topic" => "events", "partition" => "0").set(0.0);
            metrics::gauge!(metric::LEDGER_UNACCOUNTED, "topic" => "events", "partition" => "1").set(2.0);
            metrics::gauge!(metric::LEDGER, "topic" => "events", "partition" => "0", "step" => "logged").set(9.0);
        });
        let line = line.unwrap();
        let metrics = json!([
            { "Name": "clickstream_events_total", "Unit": "Count" },
            { "Name": "clickstream_ledger_unaccounted_records", "Unit": "Count" },
            { "Name": "clickstream_request_seconds", "Unit": "Seconds" },
            { "Name": "clickstream_requests_total", "Unit": "Count" },
        ]);
        let directive = json!([{ "Namespace": "Clickstream", "Dimensions": [["function"]], "Metrics": metrics }]);
        assert_eq!(line["_aws"], json!({ "Timestamp": 1_795_521_600_000_u64, "CloudWatchMetrics": directive }));
        // Each name that a directive refers to is a member of the root.
        for metric in metrics.as_array().unwrap() {
            assert!(!line[metric["Name"].as_str().unwrap()].is_null(), "{line}");
        }
        assert_eq!((&line["function"], &line["request_id"]), (&json!("stack-collect"), &json!("r-1")));
        assert_eq!(line["clickstream_events_total"], json!(4.0));
        assert_eq!(line["clickstream_ledger_unaccounted_records"], json!([0.0, 2.0]));
        assert_eq!(line["labels"]["clickstream_events_total"]["source=http,verdict=valid"], json!(3.0));
        assert_eq!(line["labels"]["clickstream_ledger_records"]["topic=events,partition=0,step=logged"], json!(9.0));
        assert_eq!(line["labels"]["clickstream_requests_total"], json!({ "status=200": 1.0 }));
        assert_eq!(emf.line("r-2", 0), None, "what was printed is not printed again");
    }

    #[test]
    fn where_nothing_was_counted_there_is_no_line() {
        let (_, line) = counted(|| metrics::counter!(metric::LANDED_ROWS).increment(0));
        assert_eq!(line, None);
    }

    #[test]
    fn many_samples_become_as_many_as_a_line_may_have() {
        let (_, line) = counted(|| {
            let seconds = metrics::histogram!(metric::REQUEST_SECONDS, "function" => "collect");
            (1..=20_000).for_each(|n| seconds.record(f64::from(n)));
        });
        let line = line.unwrap();
        let values: Vec<f64> = line["clickstream_request_seconds"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(values.len(), VALUES);
        assert!(values[0] < 10.0 && (values[50] - 10_000.0).abs() < 300.0 && values[99] > 19_900.0, "{values:?}");
    }

    #[test]
    fn within_the_pause_nothing_is_lost() {
        let emf = Emf::new("f".to_owned(), Duration::from_hours(1));
        metrics::with_local_recorder(&emf, || {
            metrics::counter!(metric::LANDED_ROWS).increment(1);
            emf.print("r-1");
            metrics::counter!(metric::LANDED_ROWS).increment(2);
            emf.print("r-2");
            metrics::counter!(metric::LANDED_ROWS).increment(4);
        });
        let line: Value = serde_json::from_str(&emf.line("r-3", 0).unwrap()).unwrap();
        assert_eq!(line["clickstream_landed_rows_total"], json!(6.0));
    }
}
