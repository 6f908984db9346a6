//! Receipts: as printed, and as they lie in the bucket.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use clickstream_e2e::Service;
use flate2::read::GzDecoder;
use serde_json::Value;

use super::independent::ExpectedReceipt;

/// Each file's receipt says what is expected of it, and so does the line that `import` printed.
pub async fn check(service: &Service, data: &Path, said: &str, expected: &BTreeMap<String, ExpectedReceipt>) {
    let receipts = in_bucket(data);
    assert_eq!(receipts.len(), expected.len());
    for (name, wanted) in expected {
        let ExpectedReceipt { lines, accepted, suspicious, rejected, rejected_lines } = wanted;
        let line = format!("{name}: {accepted} accepted, {suspicious} suspicious, {rejected} rejected of {lines} records");
        assert!(said.lines().any(|l| l == line), "{line:?} is missing in {said}");
        let receipt = &receipts[&format!("inbox/demo/{name}")];
        for (field, count) in [("lines", lines), ("accepted", accepted), ("suspicious", suspicious), ("rejected", rejected)] {
            assert_eq!(receipt[field], *count, "{name}: {field}");
        }
        let listed = listed(service, receipt).await;
        assert_eq!(listed.iter().map(|l| l["line"].as_u64().expect("a line")).collect::<Vec<_>>(), *rejected_lines, "{name}");
        for line in &listed {
            let reasons = line["reasons"].as_array().expect("reasons");
            assert!(!reasons.is_empty() && reasons.iter().all(|r| r["code"].is_string() && r["message"].is_string()), "{line}");
        }
    }
}

/// Every rejected line: the receipt's own list, or the companion that it names where there are more.
async fn listed(service: &Service, receipt: &Value) -> Vec<Value> {
    let Some(companion) = receipt["rejected_lines_object"].as_str() else {
        return receipt["rejected_lines"].as_array().expect("a list").clone();
    };
    let answer = service.get(&format!("/v1/{companion}")).send().await.expect("the service answers");
    let packed = answer.error_for_status().expect("the companion stands").bytes().await.expect("it is whole");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("it is gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("a rejected line")).collect()
}

/// The receipts of site `demo` by the file they are of.
fn in_bucket(data: &Path) -> BTreeMap<String, Value> {
    let folder = data.join("objects/clickstream/receipts/demo");
    let entries = std::fs::read_dir(folder).expect("receipts").map(|entry| entry.expect("an entry").path());
    let receipts = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).map(|path| {
        let receipt: Value = serde_json::from_slice(&std::fs::read(path).expect("a receipt")).expect("JSON");
        (receipt["file"].as_str().expect("a file").to_owned(), receipt)
    });
    receipts.collect()
}
