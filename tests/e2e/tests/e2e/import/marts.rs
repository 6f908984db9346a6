//! Marts as they lie in ClickHouse's folder once the service has ended.

use std::path::Path;

use clickstream_warehouse::{Warehouse, embedded::EmbeddedClickHouse};

use super::independent::{Expected, Row, same_rows};

/// The mart of each report.
const MARTS: [(&str, &str); 5] = [
    ("elements", "element_daily"),
    ("pages", "page_daily"),
    ("sessions", "session_daily"),
    ("devices", "device_daily"),
    ("activity", "user_activity_daily"),
];

/// Every mart holds the rows that are expected of its report.
pub async fn check(folder: &Path, expected: &Expected) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so");
    let clickhouse = EmbeddedClickHouse::start(folder, &library).await.expect("ClickHouse starts on the folder");
    let warehouse = Warehouse::from_url(clickhouse.url()).expect("a URL");
    for (report, mart) in MARTS {
        let sql = format!("SELECT * FROM {mart} WHERE site_id = 'demo' AND day BETWEEN {{from:Date}} AND {{to:Date}}");
        let query = warehouse.client().query_raw(&sql).param("from", &expected.from).param("to", &expected.to);
        let lines = query.fetch_bytes("JSONEachRow").expect("a statement").collect().await.expect("rows");
        let rows: Vec<Row> =
            lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("a row")).collect();
        same_rows(&format!("mart {mart}"), &rows, &expected.reports[report]);
    }
    clickhouse.shutdown().await;
}
