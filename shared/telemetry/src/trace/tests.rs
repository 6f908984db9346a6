//! One provider for the process, as OpenTelemetry has it; each test looks at traces of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, LazyLock, Mutex};

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};

use super::*;

#[derive(Clone, Debug, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Ended {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// What ended, of the trace `id`, oldest first.
fn ended(id: &str) -> Vec<SpanData> {
    static ENDED: LazyLock<Ended> = LazyLock::new(|| {
        let ended = Ended::default();
        global::set_tracer_provider(SdkTracerProvider::builder().with_simple_exporter(ended.clone()).build());
        global::set_text_map_propagator(TraceContextPropagator::new());
        switch_on();
        ended
    });
    let all = ENDED.0.lock().unwrap();
    all.iter().filter(|span| span.span_context.trace_id().to_string() == id).cloned().collect()
}

fn header(trace: &str, sampled: bool) -> String {
    format!("00-{trace}-00f067aa0ba902b7-0{}", u8::from(sampled))
}

fn carrier(value: &str) -> [(&str, &[u8]); 1] {
    [("traceparent", value.as_bytes())]
}

fn here() -> String {
    Context::current().span().span_context().trace_id().to_string()
}

#[tokio::test]
async fn a_request_goes_on_in_its_records_and_in_the_object_that_they_become() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert!(ended(trace).is_empty());
    let caller = header(trace, true);
    let request = Span::begin(|| "POST /v1/batch".into(), Origin::of_request(carrier(&caller), true, Vec::new()));
    let said = Span::around(request.as_ref(), async { carried() }).await;
    request.unwrap().end(true);
    let records = vec![carrier(&said["traceparent"]); 3];
    let land = Span::begin(|| "land".into(), Origin::carried_by(records, vec![KeyValue::new("records", 3)]));
    let beside = Span::around(land.as_ref(), async { carried() }).await;
    land.unwrap().end(true);
    continued("load", carrier(&beside["traceparent"]), async { Err::<(), _>("away") }).await.unwrap_err();
    assert!(carried().is_empty(), "nothing runs any more");

    let spans = ended(trace);
    let names: Vec<_> = spans.iter().map(|span| (&*span.name, span.span_kind.clone())).collect();
    assert_eq!(names, [("POST /v1/batch", SpanKind::Server), ("land", SpanKind::Consumer), ("load", SpanKind::Consumer)]);
    assert_eq!(spans[0].parent_span_id.to_string(), "00f067aa0ba902b7");
    assert_eq!(spans[1].parent_span_id, spans[0].span_context.span_id());
    assert_eq!(spans[2].parent_span_id, spans[1].span_context.span_id());
    assert_eq!((&spans[1].status, &spans[2].status), (&Status::Unset, &Status::error("failed; the log says why")));
}

#[tokio::test]
async fn a_stranger_is_linked_and_decides_nothing() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert!(ended(trace).is_empty());
    let stranger = header(trace, false);
    let request = Span::begin(|| "GET /".into(), Origin::of_request(carrier(&stranger), false, Vec::new()));
    let own = Span::around(request.as_ref(), async { here() }).await;
    request.unwrap().end(true);
    assert!(ended(trace).is_empty());
    let [span] = &ended(&own)[..] else { panic!("one span of its own") };
    assert_eq!(span.links.iter().map(|link| link.span_context.trace_id().to_string()).collect::<Vec<_>>(), [trace]);
}

#[tokio::test]
async fn a_batch_of_several_requests_is_linked_to_each() {
    let traces = ["11111111111111111111111111111111", "22222222222222222222222222222222"];
    assert!(ended(traces[0]).is_empty());
    let headers = traces.map(|trace| header(trace, true));
    let unsampled = header("33333333333333333333333333333333", false);
    let all = [&*headers[0], &headers[1], &headers[0], &unsampled, "nonsense"];
    let store = Span::begin(|| "store".into(), Origin::carried_by(all.map(carrier), Vec::new())).unwrap();
    let own = Span::around(Some(&store), async { here() }).await;
    store.end(true);
    let [span] = &ended(&own)[..] else { panic!("one span of its own") };
    assert_eq!(span.links.iter().map(|link| link.span_context.trace_id().to_string()).collect::<Vec<_>>(), traces);
}

#[tokio::test]
async fn what_nobody_traces_begins_no_span() {
    assert!(ended("").is_empty());
    let unsampled = header("44444444444444444444444444444444", false);
    for carriers in [vec![], vec![carrier(&unsampled)], vec![carrier("nonsense")]] {
        assert!(Span::begin(|| "land".into(), Origin::carried_by(carriers, Vec::new())).is_none());
    }
    assert!(Span::begin(|| "objects put".into(), Origin::Within).is_none(), "no span runs");
}

#[tokio::test]
async fn a_thread_goes_on_with_the_span_that_had_it_started() {
    assert!(ended("").is_empty());
    let files = Span::begin(|| "intake-files".into(), Origin::Current);
    let (own, there) = Span::around(files.as_ref(), async { (here(), tokio::task::spawn_blocking(inherited(here)).await.unwrap()) }).await;
    assert_eq!(own, there);
    assert!(files.is_some());
}
