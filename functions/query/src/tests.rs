//! Questions over a real event store and bucket, with ClickHouse and the lake played.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_event::{Event, Logged, Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_lake::LakeError;
use clickstream_objects::{Objects as _, PutOptions, embedded::EmbeddedS3, s3::S3Objects};
use clickstream_store::{ErasedEvent, LoggedRejection, Retention, SharedStore};
use clickstream_telemetry::LiveFeed;
use clickstream_warehouse::{InWarehouse, ReportQuery, Table, WarehouseError};
use futures::StreamExt as _;
use http::{Request, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Answer, Query,
    sources::{AskLake, AskWarehouse, Sources},
};

/// What ClickHouse and the lake know.
#[derive(Default)]
struct Played {
    found: Mutex<Option<InWarehouse>>,
    settled: Mutex<Option<u64>>,
    in_lake: Mutex<Option<u64>>,
    asked: Mutex<Vec<ReportQuery>>,
    away: Mutex<bool>,
}

struct PlayedWarehouse(Arc<Played>);

#[async_trait]
impl AskWarehouse for PlayedWarehouse {
    async fn report(&self, query: &ReportQuery) -> Result<Table, WarehouseError> {
        if *self.0.away.lock().unwrap() {
            return Err(WarehouseError::Unavailable("connection refused".to_owned()));
        }
        self.0.asked.lock().unwrap().push(query.clone());
        let row = json!({ "element_id": "=1+1", "clicks": -7 });
        Ok(Table { columns: vec!["element_id".to_owned(), "clicks".to_owned()], rows: vec![row.as_object().unwrap().clone()] })
    }

    async fn find(&self, _: Option<&str>, _: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
        Ok(*self.0.found.lock().unwrap())
    }

    async fn settled_version_of(&self, _: &str, _: u32, _: u64) -> Result<Option<u64>, WarehouseError> {
        Ok(*self.0.settled.lock().unwrap())
    }
}

#[async_trait]
impl AskLake for Played {
    async fn version_past(&self, _: &str, _: u32, _: u64) -> Result<Option<u64>, LakeError> {
        Ok(*self.in_lake.lock().unwrap())
    }
}

struct Service {
    query: Query,
    store: SharedStore,
    objects: S3Objects,
    played: Arc<Played>,
    feed: LiveFeed,
    _s3: EmbeddedS3,
    _folder: tempfile::TempDir,
}

async fn service() -> Service {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store").display());
    let store = clickstream_store::connect(&url, Retention::default()).await.unwrap();
    let s3 = EmbeddedS3::start(&folder.path().join("objects"), "clickstream").await.unwrap();
    let (objects, feed, played) = (S3Objects::connect(s3.config()).await, LiveFeed::default(), Arc::new(Played::default()));
    let query = Query::over(Sources {
        store: store.clone(),
        warehouse: Box::new(PlayedWarehouse(Arc::clone(&played))),
        objects: Arc::new(S3Objects::connect(s3.config()).await),
        lake: Arc::<Played>::clone(&played),
        log_id: "log".to_owned(),
        feed: feed.clone(),
    });
    Service { query, store, objects, played, feed, _s3: s3, _folder: folder }
}

impl Service {
    async fn ask(&self, path: &str) -> Response<Bytes> {
        self.send(Request::get(path)).await
    }

    async fn send(&self, request: http::request::Builder) -> Response<Bytes> {
        match self.query.handle(request.body(Bytes::new()).unwrap()).await {
            Answer::Whole(response) => response,
            Answer::Stream(_) => panic!("a stream"),
        }
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.ask(path).await;
        assert_eq!(response.status(), 200, "{path}: {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap()
    }

    async fn problem(&self, path: &str, status: u16, code: &str) -> String {
        let response = self.ask(path).await;
        assert_eq!(response.status(), status, "{path}: {:?}", response.body());
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }
}

fn logged(id: u128, user: &str, original_at: i64, offset: u64) -> Logged {
    let event = json!({
        "event_id": Uuid::from_u128(id), "site_id": "shop", "action": "click", "element_id": "buy", "user_id": user,
        "original_at": Micros(original_at), "occurred_at": Micros(original_at), "received_at": Micros(1_795_514_400_000_000),
        "source": "http", "verdict": "suspicious", "warnings": ["clock_skew"]
    });
    Logged { log_partition: 2, log_offset: offset, event: serde_json::from_value::<Event>(event).unwrap() }
}

fn rejection(id: u128) -> Rejection {
    Rejection {
        site_id: Some("shop".to_owned()),
        event_id: Some(Uuid::from_u128(id)),
        message_id: None,
        received_at: Micros(1_795_514_400_000_000),
        source: Source::Http,
        shape: Shape::Segment,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
        original: "{}".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_event_is_told_by_the_lists_of_the_lake() {
    let service = service().await;
    let id = Uuid::from_u128(7);
    let row = json!([{ "site_id": "shop", "event_id": id, "occurred_at": Micros(0) }]);
    service.objects.put("lake/events/_erased/1.json", row.to_string().into(), PutOptions::default()).await.unwrap();
    let trace = service.json(&format!("/v1/events/{id}/trace")).await;
    assert_eq!(
        (&trace["verdict"], &trace["site_id"], &trace["store"], &trace["lake"]),
        (&json!("erased"), &json!("shop"), &Value::Null, &Value::Null)
    );
    assert!(trace["erased_at"].is_string(), "{trace}");
    service.problem(&format!("/v1/events/{id}/trace?site=blog"), 404, "event_unknown").await;
    service.problem(&format!("/v1/events/{}/trace", Uuid::from_u128(8)), 404, "event_unknown").await;
}

#[tokio::test]
async fn an_erased_event_is_told_by_the_store_and_what_reports_still_count() {
    let service = service().await;
    let event_id = Uuid::from_u128(5);
    let note = ErasedEvent { site_id: "shop".to_owned(), event_id, erased_at: Micros(1_795_514_400_000_000) };
    service.store.note_erased(&[note]).await.unwrap();
    *service.played.found.lock().unwrap() = Some(InWarehouse { visible: true, settled: true, lake_version: Some(7) });
    let trace = service.json(&format!("/v1/events/{event_id}/trace")).await;
    assert_eq!((&trace["verdict"], &trace["site_id"]), (&json!("erased"), &json!("shop")));
    assert_eq!(trace["erased_at"], "2026-11-24T10:00:00.000000Z");
    assert_eq!(trace["warehouse"], json!({ "visible": true, "settled": true }));
    *service.played.found.lock().unwrap() = None;
    service.problem(&format!("/v1/events/{event_id}/trace?site=blog"), 404, "event_unknown").await;
}

#[tokio::test]
async fn a_trace_names_the_repeats_of_the_event_that_is_kept() {
    let service = service().await;
    service.store.put_events(&[logged(1, "u", 1, 41), logged(1, "u", 1, 44)]).await.unwrap();
    let trace = service.json(&format!("/v1/events/{}/trace", Uuid::from_u128(1))).await;
    assert_eq!(trace["log"]["offset"], 41);
    let repeat = json!({ "received_at": "2026-11-24T10:00:00.000000Z", "partition": 2, "offset": 44 });
    assert_eq!(trace["store"], json!({ "stored": true, "repeats": [repeat] }));
}

#[tokio::test]
async fn a_trace_grows_step_by_step() {
    let service = service().await;
    let path = format!("/v1/events/{}/trace?site=shop", Uuid::from_u128(1));
    assert!(service.problem(&path, 404, "event_unknown").await.contains("0001"));
    service.problem(&format!("{path}&wait=60"), 400, "parameter_wrong").await;
    let waiting = format!("{path}&wait=20");
    // Acknowledged, and stored while someone asks.
    let (trace, stored) = tokio::join!(service.json(&waiting), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        service.store.put_events(&[logged(1, "u", 1, 41)]).await
    });
    stored.unwrap();
    assert_eq!(trace["verdict"], "suspicious");
    assert_eq!(trace["received_at"], "2026-11-24T10:00:00.000000Z");
    assert_eq!(trace["log"], json!({ "topic": "events", "partition": 2, "offset": 41 }));
    assert!(!trace["store"].is_null());
    assert_eq!((&trace["raw"], &trace["lake"], &trace["warehouse"]), (&Value::Null, &Value::Null, &Value::Null));

    // An object that ends past the offset and begins past it too holds it not.
    let key = |last: u64, first: u64| format!("raw/events/log/00002/{last:020}-{first:020}.parquet");
    for key in [key(40, 0), key(45, 42), key(60, 30)] {
        service.objects.put(&key, Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
    }
    *service.played.in_lake.lock().unwrap() = Some(9);
    *service.played.found.lock().unwrap() = Some(InWarehouse { visible: true, settled: false, lake_version: None });
    let trace = service.json(&path).await;
    assert_eq!(trace["raw"]["key"], key(60, 30));
    assert_eq!(trace["lake"]["version"], 9);
    assert_eq!(trace["warehouse"], json!({ "visible": true, "settled": false }));

    *service.played.settled.lock().unwrap() = Some(7);
    *service.played.found.lock().unwrap() = Some(InWarehouse { visible: true, settled: true, lake_version: Some(7) });
    let trace = service.json(&path).await;
    assert_eq!((&trace["lake"]["version"], &trace["warehouse"]["settled"]), (&json!(7), &json!(true)));
}

#[tokio::test]
async fn an_event_that_the_store_forgot_is_traced_in_clickhouse() {
    let service = service().await;
    *service.played.found.lock().unwrap() = Some(InWarehouse { visible: true, settled: true, lake_version: Some(7) });
    let trace = service.json(&format!("/v1/events/{}/trace", Uuid::from_u128(1))).await;
    assert_eq!((&trace["store"], &trace["verdict"], &trace["lake"]["version"]), (&Value::Null, &Value::Null, &json!(7)));
}

#[tokio::test]
async fn a_rejected_event_is_traced_to_its_reasons() {
    let service = service().await;
    service.store.put_rejections(&[LoggedRejection { log_partition: 0, log_offset: 5, rejection: rejection(3) }]).await.unwrap();
    let trace = service.json(&format!("/v1/events/{}/trace", Uuid::from_u128(3))).await;
    assert_eq!((&trace["verdict"], &trace["reasons"][0]["code"]), (&json!("rejected"), &json!("action_unknown")));
    assert_eq!(trace["log"], json!({ "topic": "rejected", "partition": 0, "offset": 5 }));
    let listed = service.json("/v1/rejections?site=shop&limit=10").await;
    assert_eq!(listed["rejections"][0]["log_offset"], 5);
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let service = service().await;
    // A name that a path must escape, and that reads otherwise as a form.
    let user = "a=b&c+d/é";
    let events: Vec<Logged> = (1..=5).map(|n| logged(n, user, n as i64, n as u64)).collect();
    service.store.put_events(&events).await.unwrap();
    let escaped = percent_encoding::utf8_percent_encode(user, percent_encoding::NON_ALPHANUMERIC);
    let mut path = format!("/v1/users/{escaped}/events?site=shop&limit=2");
    let mut seen = Vec::new();
    loop {
        let page = service.json(&path).await;
        seen.extend(page["events"].as_array().unwrap().iter().map(|e| e["log_offset"].as_u64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/users/{escaped}/events?site=shop&limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    assert_eq!(service.json("/v1/users/a%3Db%26c+d%2F%C3%A9/events?site=shop").await["events"].as_array().unwrap().len(), 5);
    assert_eq!(service.json(&format!("/v1/users/{escaped}/events?site=shop&anonymous=true")).await["events"], json!([]));
}

#[tokio::test]
async fn a_report_is_json_or_csv_of_the_days_asked_for() {
    let service = service().await;
    let path = "/v1/reports/elements?site=shop&from=2026-11-01&to=2026-11-24";
    assert_eq!(service.json(path).await["rows"][0]["clicks"], -7);
    let csv = service.send(Request::get(path).header("accept", "text/csv")).await;
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.body(), "element_id,clicks\n'=1+1,-7\n");
    service.json("/v1/reports/heatmap?site=shop&path=/cart").await;
    let asked = service.played.asked.lock().unwrap().clone();
    assert_eq!((asked[0].from.to_string(), asked[0].to.to_string()), ("2026-11-01".to_owned(), "2026-11-24".to_owned()));
    assert_eq!((asked[2].from, asked[2].path.as_deref()), (asked[2].to, Some("/cart")));
    *service.played.away.lock().unwrap() = true;
    assert!(service.problem(path, 503, "part_unavailable").await.contains("ClickHouse"));
}

#[tokio::test]
async fn a_wrong_parameter_is_named_with_what_would_be_right() {
    let service = service().await;
    for (path, name, right) in [
        ("/v1/events/7/trace", "event_id", "UUID"),
        ("/v1/users/u/events", "site", "site=demo"),
        ("/v1/users/u/events?site=shop&limit=0", "limit", "1 to 500"),
        ("/v1/users/u/events?site=shop&limit=x", "limit", "1 to 500"),
        ("/v1/users/u/events?site=shop&cursor=%2B", "cursor", "next_cursor"),
        ("/v1/users/u/events?site=shop&cursor=e30", "cursor", "next_cursor"),
        ("/v1/users/u/events?site=shop&anonymous=1", "anonymous", "true or false"),
        ("/v1/rejections?limit=501", "limit", "1 to 500"),
        ("/v1/reports/elements", "site", "site=demo"),
        ("/v1/reports/elements?site=shop&from=24.11.2026", "from", "2026-11-24"),
        ("/v1/reports/elements?site=shop&to=2026-11-24T00:00", "to", "2026-11-24"),
        ("/v1/reports/elements?site=shop&from=2026-11-24&to=2026-11-23", "to", "before from"),
        ("/v1/reports/elements?site=shop&from=2020-11-24&to=2026-11-23", "from", "400 days"),
        ("/v1/reports/elements?site=shop&from=1960-01-01&to=1960-01-02", "from", "1971"),
    ] {
        let detail = service.problem(path, 400, "parameter_wrong").await;
        assert!(detail.starts_with(name) && detail.contains(right), "{path}: {detail}");
    }
    assert!(service.problem("/v1/reports/money?site=shop", 404, "not_found").await.contains("elements, pages"));
    service.problem("/v1/nothing", 404, "not_found").await;
    let posted = service.send(Request::post("/v1/rejections")).await;
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &http::HeaderValue::from_static("GET, HEAD")));
}

#[tokio::test]
async fn who_watches_sees_one_site_and_hears_a_heartbeat_while_others_are_busy() {
    let (feed, seen) = (LiveFeed::default(), |bytes: Option<Result<Bytes, _>>| {
        let bytes: Bytes = bytes.unwrap().unwrap_or_else(|never: std::convert::Infallible| match never {});
        String::from_utf8(bytes.to_vec()).unwrap()
    });
    let Answer::Stream(response) = crate::live::live(&feed, Some("shop"), Duration::from_millis(200)) else { panic!("no stream") };
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body();
    assert!(seen(stream.next().await).starts_with("retry:"));
    let elsewhere = Rejection { site_id: Some("elsewhere".to_owned()), ..rejection(1) };
    feed.show(&elsewhere);
    feed.show(&rejection(2));
    let message = seen(stream.next().await);
    assert!(
        message.starts_with("event: event\ndata: {") && message.contains(r#""verdict":"rejected""#) && message.ends_with("\n\n"),
        "{message}"
    );
    let busy = feed.clone();
    let others = tokio::spawn(async move {
        loop {
            busy.show(&elsewhere);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(seen(stream.next().await), ": still here\n\n");
    others.abort();
}

#[tokio::test]
async fn a_slow_watcher_is_told_how_much_it_missed() {
    let service = service().await;
    let request = Request::get("/v1/live").body(Bytes::new()).unwrap();
    let Answer::Stream(response) = service.query.handle(request).await else { panic!("no stream") };
    let mut stream = response.into_body().skip(1);
    for id in 0..2_000 {
        service.feed.show(&rejection(id));
    }
    let Some(Ok(message)) = stream.next().await else { panic!("the stream ended") };
    assert_eq!(message, "event: lagged\ndata: {\"missed\":976}\n\n");
    let Some(Ok(message)) = stream.next().await else { panic!("the stream ended") };
    assert!(message.starts_with(b"event: event\n"));
}

#[tokio::test]
async fn where_a_token_is_set_it_must_be_shown() {
    let mut service = service().await;
    service.query = service.query.with_admin_token("0123456789abcdef".to_owned());
    let refused = service.ask("/v1/rejections").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["www-authenticate"]), (401, &http::HeaderValue::from_static("Bearer")));
    let shown = service.send(Request::get("/v1/rejections").header("authorization", "Bearer 0123456789abcdef")).await;
    assert_eq!(shown.status(), 200);
}
