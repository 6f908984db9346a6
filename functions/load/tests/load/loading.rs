//! Announced objects of a real bucket into ClickHouse.

use clickstream_columns::RawRow;
use clickstream_load::{Load, LoadError, LoadOutcome};
use clickstream_objects::Notification;
use clickstream_testkit::{
    clickhouse::Database,
    s3::Bucket,
    sample::{click, rows},
};
use clickstream_warehouse::{Commit, Warehouse, WarehouseError};
use uuid::Uuid;

struct Service {
    bucket: Bucket,
    database: Database,
    load: Load,
}

async fn service() -> Service {
    let (bucket, database) = (Bucket::start().await, Database::create().await);
    let load = Load::new(bucket.objects.clone(), database.warehouse.clone());
    Service { bucket, database, load }
}

impl Service {
    async fn load(&self, announced: &Notification) -> LoadOutcome {
        self.load.handle(announced).await.unwrap()
    }

    async fn clicks(&self) -> u64 {
        self.database.number("count() FROM clicks").await
    }
}

fn announced(key: &str) -> Notification {
    Notification { bucket: "clickstream".to_owned(), key: key.to_owned(), etag: String::new(), size: 1 }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_loaded_twice_or_cut_differently_counts_once() {
    let service = service().await;
    let events: Vec<_> = (0..10).map(|n| click(n, 0)).collect();
    let whole = service.bucket.land("l", 0, &rows(0, &events)).await;
    let tail = service.bucket.land("l", 0, &rows(6, &events[6..])).await;
    for object in [&whole, &whole, &tail, &whole] {
        assert_eq!(service.load(object).await, LoadOutcome::Loaded);
        assert_eq!(service.clicks().await, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_no_clicks() {
    let service = service().await;
    let mut landed = rows(0, &[click(1, 0), click(2, 0)]);
    landed.insert(1, (2, RawRow::DeadLetter(b"\xff".to_vec())));
    landed[2].0 = 3;
    assert_eq!(service.load(&service.bucket.land("l", 0, &landed).await).await, LoadOutcome::Loaded);
    assert_eq!(service.clicks().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_not_loaded_again() {
    let service = service().await;
    let watermarks = [("l/0".to_owned(), 5)].into();
    service.database.warehouse.commit(&Commit { version: 0, load_id: Uuid::new_v4(), watermarks, rows: 0 }).await.unwrap();
    let settled = service.bucket.land("l", 0, &rows(0, &(0..5).map(|n| click(n, 0)).collect::<Vec<_>>())).await;
    assert_eq!(service.load(&settled).await, LoadOutcome::Settled);
    assert_eq!(service.database.number("count() FROM fresh").await, 0);
    // Offset 5 is the next one; another partition and another log have watermarks of their own.
    let past = service.bucket.land("l", 0, &rows(3, &[click(3, 0), click(4, 0), click(5, 0)])).await;
    let partition = service.bucket.land("l", 10, &rows(0, &[click(20, 0)])).await;
    let log = service.bucket.land("m", 0, &rows(0, &[click(30, 0)])).await;
    for object in [past, partition, log] {
        assert_eq!(service.load(&object).await, LoadOutcome::Loaded, "{}", object.key);
    }
    assert_eq!(service.clicks().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_gone_is_nothing_to_load() {
    let service = service().await;
    let gone = announced("raw/events/l/00000/00000000000000000009-00000000000000000000.parquet");
    assert_eq!(service.load(&gone).await, LoadOutcome::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_others_are_ignored() {
    let service = service().await;
    for key in [
        "",
        "raw",
        "raw/events/l/00000/x.parquet",
        "raw/events/l/00000/00000000000000000000-00000000000000000000.csv",
        "raw/events/l/00000/more/00000000000000000000-00000000000000000000.parquet",
        "raw/events/00000/00000000000000000000-00000000000000000000.parquet",
        "raw/events/l/p/00000000000000000000-00000000000000000000.parquet",
        "inbox/shop/00000000000000000000-00000000000000000000.parquet",
        "lake/events/part-0.zstd.parquet",
        "../raw/events/l/00000/00000000000000000000-00000000000000000000.parquet",
    ] {
        service.bucket.put(&format!("{key}x"), "foreign").await;
        assert_eq!(service.load(&announced(key)).await, LoadOutcome::Ignored, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_comes_again_while_clickhouse_or_the_object_is_unusable() {
    let service = service().await;
    let landed = service.bucket.land("l", 0, &rows(0, &[click(1, 0)])).await;
    let away = Load::new(service.bucket.objects.clone(), Warehouse::from_url("http://127.0.0.1:9").unwrap());
    let error = away.handle(&landed).await.unwrap_err();
    assert!(matches!(error, LoadError::Warehouse(WarehouseError::Unavailable(_))), "{error}");
    let cut = service.bucket.put("raw/events/l/00000/00000000000000000002-00000000000000000001.parquet", "PAR1").await;
    let error = service.load.handle(&cut).await.unwrap_err();
    assert!(matches!(error, LoadError::Warehouse(WarehouseError::Refused { .. })), "{error}");
    assert_eq!(service.load(&landed).await, LoadOutcome::Loaded);
    assert_eq!(service.clicks().await, 1);
}
