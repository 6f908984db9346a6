//! `import`.

use std::{fs, path::Path, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_testkit::traffic::CLICKS_HEADER;

use super::days::ago;

/// A row of the clicks CSV; an empty `element` makes it invalid.
fn row(id: &str, element: &str) -> String {
    let day = ago(1);
    format!(
        "{id},CLICK,{day} 10:00:00,null,s-1,8.8.8.8,u-1,https://shop.example/,null,DESKTOP,Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0,null,{element},1,2,Buy,null,Shop,1440,900,0,0,null"
    )
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_imported_with_a_receipt_each_and_what_is_wrong_is_said_by_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let here = folder.path();
    let good = write(here, "good.csv", &format!("{CLICKS_HEADER}\n{}\n{}\n", row("11", "buy"), row("12", "buy")));
    let mixed =
        write(here, "a name with ä.csv", &format!("{CLICKS_HEADER}\n{}\n{}\n{}\n", row("21", "buy"), row("22", "null"), row("23", "buy")));
    let event =
        r#"{"event_id":"31","action":"click","element_id":"buy","user_id":"u","occurred_at":"DAYT10:00:00Z"}"#.replace("DAY", &ago(1));
    let lines = write(here, "lines.ndjson", &format!("{event}\nno event\n"));

    let output = service.command(["import", &good, &mixed, &lines]).await;
    assert_eq!(output.stderr, "", "progress is for terminals");
    let said = output.expect_success();
    let said: Vec<_> = said.lines().collect();
    assert_eq!(said[0], "good.csv: 2 accepted, 0 suspicious, 0 rejected of 2 records");
    assert_eq!(said[1], "a name with ä.csv: 2 accepted, 0 suspicious, 1 rejected of 3 records");
    assert!(said[2].starts_with("  line 3: "), "{said:?}");
    assert!(said[3].starts_with("lines.ndjson: 1 accepted") || said[3].starts_with("lines.ndjson: 0 accepted, 1 suspicious"), "{said:?}");
    assert!(said[4].starts_with("  line 2: "), "{said:?}");

    // The same files again: taken already, said again, counted once.
    service.command(["import", &good, &mixed]).await.expect_success();
    let missing = here.join("missing.csv").display().to_string();
    let other = write(here, "table.xlsx", "PK");
    let headless = write(here, "headless.csv", "a,b\n1,2\n");
    let broken = write(here, "broken.csv.gz", "no gzip");
    let output = service.command(["import", &missing, &other, &headless, &broken, &good]).await;
    assert!(output.stdout.contains("good.csv: 2 accepted"), "the others are imported: {output:?}");
    let said = output.expect_failure();
    for part in [&missing, "table.xlsx", ".ndjson", "headless.csv", "broken.csv.gz", "4 of 5 files"] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    eventually(Duration::from_secs(30), "five clicks are counted", || async {
        let rows = service.report("elements", &ago(1), &ago(1)).await;
        let clicks = rows.sums().get("buy").map_or(0, |sum| sum.1);
        if clicks == 5 { Ok(()) } else { Err(format!("{clicks} clicks")) }
    })
    .await;

    let said = service.command(["import", "--site", "nobody", &good]).await.expect_failure();
    assert!(said.contains("nobody"), "{said}");
}
