//! `export`.

use std::time::Duration;

use clickstream_e2e::{Service, StartOptions, eventually};
use serde_json::{Value, json};

use super::days::ago;

const HOSTILE: [&str; 6] = ["=HYPERLINK(\"http://evil.example\")", "+1+1", "-1+1", "@SUM(1)", "a \"quoted\", text\nin lines", "\t=1"];

#[tokio::test(flavor = "multi_thread")]
async fn events_are_exported_as_lines_of_json_and_as_csv_that_no_spreadsheet_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let event = |text: &&str| json!({ "type": "track", "event": "element_clicked", "anonymousId": "a", "properties": { "element_id": "e", "element_text": text } });
    let events: Vec<_> = HOSTILE.iter().map(event).collect();
    service.post("/v1/batch").json(&json!({ "writeKey": "demo", "batch": events })).send().await.expect("an answer");
    let export = async |format: &str| service.command(["export", "--format", format]).await.expect_success();
    let lines = eventually(Duration::from_secs(20), "all is exported", || async {
        let text = export("ndjson").await;
        if text.lines().count() == HOSTILE.len() { Ok(text) } else { Err(text) }
    })
    .await;
    let mut texts: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["element_text"].as_str().expect("a text").to_owned())
        .collect();
    texts.sort();
    let mut sent = HOSTILE.map(|text| text.trim().to_owned());
    sent.sort();
    let trimmed: Vec<_> = texts.iter().map(|text| text.trim().to_owned()).collect();
    assert_eq!(trimmed, sent, "JSON says what was sent");

    let csv = export("csv").await;
    let rows = cells(&csv);
    let column = rows[0].iter().position(|name| name == "element_text").expect("a header with names");
    assert_eq!(rows.len(), HOSTILE.len() + 1);
    for row in &rows {
        assert_eq!(row.len(), rows[0].len(), "{row:?}");
        for cell in row {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet runs {cell:?}");
        }
    }
    assert!(rows.iter().any(|row| row[column] == "'+1+1"), "{csv}");
    assert!(rows.iter().any(|row| row[column] == HOSTILE[4]), "{csv}");

    assert_eq!(service.command(["export", "--from", "2020-01-01", "--to", "2020-01-02"]).await.expect_success(), "");
    assert_eq!(service.command(["export", "--site", "nobody"]).await.expect_success(), "");
    let wrong =
        [["export", "--from", "yesterday", ""], ["export", "--from", &ago(0), "--to=2020-01-01"], ["export", "--format", "xml", ""]];
    for arguments in wrong {
        let arguments = arguments.into_iter().filter(|a| !a.is_empty());
        let said = service.command(arguments).await.expect_failure();
        assert!(!said.contains("503"), "the fault is the user's: {said}");
    }
}

/// Rows of a CSV, as RFC 4180 has it.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut bytes = csv.chars().peekable();
    while let Some(c) = bytes.next() {
        let row = rows.last_mut().expect("a row");
        match c {
            '"' if quoted && bytes.peek() == Some(&'"') => {
                bytes.next();
                row.last_mut().expect("a cell").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().expect("a cell").push(c),
        }
    }
    rows.pop();
    rows
}
