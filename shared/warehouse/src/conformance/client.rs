//! The official client, unchanged.

use clickhouse::Row;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    count, database, day, drop_database,
    sample::{event, object},
};
use crate::{Report, ReportQuery, WarehouseError};

#[derive(Row, Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Thing {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    name: String,
    number: Option<i64>,
    tags: Vec<String>,
}

/// Rows go in and come out typed, more than one block of them.
pub async fn the_client_inserts_and_selects_typed_rows(url: String) {
    let warehouse = database(&url).await;
    warehouse
        .query("CREATE TABLE things (id UUID, name String, number Nullable(Int64), tags Array(String)) ENGINE = MergeTree ORDER BY name")
        .execute()
        .await
        .unwrap();
    let things: Vec<Thing> = (0..50_000)
        .map(|n| Thing { id: Uuid::new_v4(), name: format!("{n:06}\n'ё"), number: (n % 2 == 0).then_some(n), tags: vec![n.to_string()] })
        .collect();
    let mut insert = warehouse.client().insert::<Thing>("things").await.unwrap();
    for thing in &things {
        insert.write(thing).await.unwrap();
    }
    insert.end().await.unwrap();
    let found: Vec<Thing> = warehouse.client().query("SELECT ?fields FROM things ORDER BY name").fetch_all().await.unwrap();
    assert!(found == things, "50,000 rows come back as they were");
    let one: Thing = warehouse
        .client()
        .query("SELECT ?fields FROM things WHERE name = {name:String}")
        .param("name", &things[7].name)
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(one, things[7]);
    drop_database(&warehouse).await;
}

/// A failed statement says its code, also after good ones and before more.
pub async fn errors_have_clickhouse_codes(url: String) {
    let warehouse = database(&url).await;
    let code = |error: WarehouseError| match error {
        WarehouseError::Refused { code, .. } => code,
        other => panic!("not a refusal: {other}"),
    };
    for (sql, wanted) in
        [("SELECT nosuch", 47), ("SELECT * FROM nosuch", 60), ("SELEC 1", 62), ("SELECT throwIf(number = 0) FROM numbers(3)", 395)]
    {
        let error = warehouse.query(sql).fetch_all::<u8>().await.unwrap_err();
        assert_eq!(code(error.into()), wanted, "{sql}");
    }
    let error = warehouse.query("SELECT 1").with_setting("no_such_setting", "1").execute().await.unwrap_err();
    assert_eq!(code(error.into()), 115);
    // A failure in the middle of the rows is a failure.
    let late = warehouse.query("SELECT throwIf(number = 900000) FROM numbers(1000000)").fetch_all::<u8>().await;
    assert!(late.is_err());
    let one: u8 = warehouse.query("SELECT 1").fetch_one().await.unwrap();
    assert_eq!(one, 1);
    assert!(matches!(warehouse.insert_raw(bytes::Bytes::from_static(b"PAR1 nonsense")).await, Err(WarehouseError::Refused { .. })));
    drop_database(&warehouse).await;
}

/// What a caller names is compared, never run.
pub async fn reports_take_values_not_sql(url: String) {
    let warehouse = database(&url).await;
    let strange = "s' OR 1=1 --\\ {x:String}\t?";
    warehouse.insert_raw(object(0, &[event("s", 0, "p"), event(strange, 1, "p")])).await.unwrap();
    for report in Report::ALL {
        for (site, path, wanted) in
            [(strange, None, true), ("x' OR '1'='1", None, false), ("s", Some("' OR 1=1 --".to_owned()), report != Report::Heatmap)]
        {
            let table = warehouse.report(&ReportQuery { report, site: site.to_owned(), from: day(), to: day(), path }).await.unwrap();
            // The only event is a click, so there are no pages.
            assert_eq!(!table.rows.is_empty(), wanted && report != Report::Pages, "{report:?} of {site:?}");
        }
    }
    assert_eq!(count(&warehouse, "clicks").await, 2);
    drop_database(&warehouse).await;
}

/// An export has every event of the site and the days, each on a line of its own.
pub async fn an_export_has_every_event(url: String) {
    let warehouse = database(&url).await;
    let events: Vec<_> = (0..40_000).map(|n| event("s", n, "p")).chain([event("s", 90_000, "p"), event("t", 5, "p")]).collect();
    warehouse.insert_raw(object(0, &events)).await.unwrap();
    for (format, header) in [("JSONEachRow", 0), ("CSVWithNames", 1)] {
        let pieces: Vec<_> = warehouse.export("s", day(), day(), format).unwrap().try_collect().await.unwrap();
        let text = String::from_utf8(pieces.concat()).unwrap();
        assert_eq!(text.lines().count(), 40_000 + header, "{format}");
    }
    assert!(warehouse.export("s", day(), day(), "Null").is_err());
    drop_database(&warehouse).await;
}

/// Sixteen tasks insert and select at once; every insert counts, and what is seen never shrinks.
pub async fn inserts_and_selects_run_side_by_side(url: String) {
    let warehouse = database(&url).await;
    let tasks = (0..16_u64).map(|task| {
        let warehouse = warehouse.clone();
        tokio::spawn(async move {
            let mut seen = 0;
            for round in 0..4 {
                if task % 2 == 0 {
                    let events: Vec<_> = (0..25).map(|n| event("s", n, &format!("{task}"))).collect();
                    warehouse.insert_raw(object(task * 1_000 + round * 25, &events)).await.unwrap();
                }
                let now = count(&warehouse, "clicks").await;
                assert!(now >= seen, "{now} < {seen}");
                seen = now;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(count(&warehouse, "clicks").await, 8 * 4 * 25);
    drop_database(&warehouse).await;
}
