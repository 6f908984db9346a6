//! The lake, by functions that are invoked as a schedule or Airflow invokes them.

use serde_json::json;

use crate::scene::Scene;

/// compact commits to the Delta table by conditional writes; settle brings it into ClickHouse, where nothing counts twice.
pub async fn what_landed_is_compacted_and_settled_and_counts_once(scene: &Scene) {
    let rows = "SELECT count(), uniqExact(site_id, event_id) FROM clicks FORMAT TSV";
    let before = scene.clickhouse(rows).await;
    let compacted = scene.aws.invoke(scene.fact("function_Compact"), &json!({})).await;
    assert!(compacted.is_ok(), "{compacted:?}");
    let again = scene.aws.invoke(scene.fact("function_Compact"), &json!({})).await;
    assert!(again.is_ok(), "{again:?}");
    let settled = scene.aws.invoke(scene.fact("function_Settle"), &json!({})).await;
    assert!(settled.is_ok(), "{settled:?}");
    let lake = scene.aws.keys("lake/events/").await;
    assert!(
        lake.iter().any(|key| key.ends_with("/00000000000000000001.json")) && lake.iter().any(|key| key.ends_with(".parquet")),
        "{lake:?}"
    );
    assert_eq!(scene.clickhouse(rows).await, before, "compacted {compacted:?}, settled {settled:?}");
    let settled = scene.clickhouse("SELECT count() FROM events").await;
    assert_ne!(settled, "0");
}
