//! What records metrics in a host, for Prometheus.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

pub use metrics_exporter_prometheus::PrometheusHandle;

use super::{CLIENT_SECONDS, FRESHNESS_SECONDS, FUNCTION_SECONDS, REQUEST_EVENTS, described::describe, known::register};

/// Bounds of the histograms of time, seconds, where no others are named.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Of functions, which may take as long as a Lambda.
const FUNCTION: [f64; 13] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0];
/// Of requests to the parts below: few, as there are many operations.
const CLIENT: [f64; 8] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];
/// Of freshness: 10 s is promised of 95 %.
const FRESHNESS: [f64; 13] = [0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 300.0, 3600.0];
/// Bounds of the histogram of events in a request.
const SIZES: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0];
/// How often samples of histograms are folded into their buckets. Until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// A recorder that cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// Another recorder is installed, or its settings are wrong.
    #[error("metrics cannot be recorded: {0}")]
    Build(#[from] metrics_exporter_prometheus::BuildError),
    /// The thread that keeps memory bounded does not start.
    #[error("metrics cannot be kept: {0}")]
    Upkeep(#[from] std::io::Error),
}

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Records metrics from now on; the handle renders them for Prometheus. A second call gives the same handle.
pub fn recorder() -> Result<PrometheusHandle, RecorderError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let exactly = |name: &str| Matcher::Full(name.to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(exactly(FUNCTION_SECONDS), &FUNCTION)?
        .set_buckets_for_metric(exactly(CLIENT_SECONDS), &CLIENT)?
        .set_buckets_for_metric(exactly(FRESHNESS_SECONDS), &FRESHNESS)?
        .set_buckets_for_metric(exactly(REQUEST_EVENTS), &SIZES)?
        .install_recorder()?;
    describe();
    register();
    keep(handle.clone())?;
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Without this a service that nobody scrapes would keep every sample of every histogram.
fn keep(handle: PrometheusHandle) -> std::io::Result<()> {
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            handle.run_upkeep();
        }
    })?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{super::*, *};
    use crate::{Function, Origin, called, watched};

    #[test]
    fn what_is_counted_is_rendered_with_its_unit_and_bounds() {
        let handle = recorder().unwrap();
        metrics::counter!(EVENTS, "source" => "http", "verdict" => "valid").increment(3);
        metrics::histogram!(REQUEST_SECONDS, "function" => "collect").record(0.004);
        metrics::histogram!(FRESHNESS_SECONDS).record(4.0);
        metrics::histogram!(REQUEST_EVENTS, "function" => "collect").record(20.0);
        let text = recorder().unwrap().render();
        assert!(text.contains(r#"clickstream_events_total{source="http",verdict="valid"} 3"#), "{text}");
        assert!(text.contains(r#"clickstream_request_seconds_bucket{function="collect",le="0.005"} 1"#), "{text}");
        assert!(text.contains(r#"clickstream_request_events_bucket{function="collect",le="20"} 1"#), "{text}");
        assert!(text.contains(r#"clickstream_freshness_seconds_bucket{le="5"} 1"#), "{text}");
        assert!(text.contains(r#"clickstream_freshness_seconds_bucket{le="3"} 0"#), "{text}");
        assert!(text.contains("# HELP clickstream_events_total events taken"), "{text}");
        drop(handle);
    }

    #[test]
    fn a_counter_whose_labels_are_known_starts_at_0() {
        let text = recorder().unwrap().render();
        for series in [
            r#"clickstream_events_total{source="file",verdict="rejected"} 0"#,
            r#"clickstream_function_invocations_total{function="reconcile",outcome="failed"} 0"#,
            r#"clickstream_unspilled_objects_total{outcome="quarantined"} 0"#,
            "clickstream_live_missed_total 0",
        ] {
            assert!(text.contains(series), "{series} is not in {text}");
        }
    }

    #[tokio::test]
    async fn invocations_and_requests_are_counted_by_how_they_end() {
        let handle = recorder().unwrap();
        let work = |outcome: Result<(), &'static str>| async move { outcome };
        watched(Function::Compact, Origin::Current, work(Ok(()))).await.unwrap();
        watched(Function::Compact, Origin::Current, work(Err("no bucket"))).await.unwrap_err();
        watched(Function::Erase, Origin::Current, work(Err("no bucket"))).await.unwrap_err();
        let failed = |error: &&str| *error != "not found";
        called("objects", "get", failed, work(Err("not found"))).await.unwrap_err();
        called("objects", "get", failed, work(Err("away"))).await.unwrap_err();
        let text = handle.render();
        for series in [
            r#"clickstream_function_invocations_total{function="compact",outcome="ok"} 1"#,
            r#"clickstream_function_invocations_total{function="compact",outcome="failed"} 1"#,
            r#"clickstream_function_seconds_count{function="compact"} 2"#,
            r#"clickstream_last_success_timestamp_seconds{function="compact"} 1"#,
            r#"clickstream_client_requests_total{client="objects",operation="get",outcome="ok"} 1"#,
            r#"clickstream_client_requests_total{client="objects",operation="get",outcome="failed"} 1"#,
        ] {
            assert!(text.contains(series), "{series} is not in {text}");
        }
        assert!(!text.contains(r#"timestamp_seconds{function="erase"}"#), "it never ended well: {text}");
    }
}
