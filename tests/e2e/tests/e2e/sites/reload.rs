//! Keys are rotated and faults are made and mended without a restart.

use std::time::Duration;

use clickstream_e2e::{Service, eventually};
use serde_json::Value;

use super::scene::{Scene, status};

/// The file is looked at every two seconds.
const SEEN: Duration = Duration::from_secs(15);

fn shop(keys: &str) -> String {
    format!("[[site]]\nid = \"shop\"\nwrite_keys = [{keys}]\n")
}

async fn answers(service: &Service, key: &str, wanted: u16) {
    eventually(SEEN, &format!("{key} is answered {wanted}"), || async {
        match status(service, key).await {
            status if status == wanted => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
}

/// `sites` of `/v1/status` once it has an error, or none.
async fn sites(service: &Service, broken: bool) -> Value {
    eventually(SEEN, "the status says how the sites file is", || async {
        let sites = service.json("/v1/status").await["sites"].clone();
        if sites["error"].is_string() == broken { Ok(sites) } else { Err(sites.to_string()) }
    })
    .await
}

async fn metric(service: &Service) -> String {
    let text = service.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    let line = text.lines().find(|line| line.starts_with("clickstream_sites_file_ok "));
    line.unwrap_or_else(|| panic!("no metric: {text}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_a_broken_file_keeps_the_sites_and_says_so() {
    let scene = Scene::new(&shop("\"0ld-s3cret\""));
    let service = scene.start().await;
    assert_eq!((status(&service, "0ld-s3cret").await, status(&service, "n3w-s3cret").await), (200, 401));
    let first = sites(&service, false).await;
    assert_eq!((first["source"].as_str(), first["count"].as_u64()), (scene.file().to_str(), Some(1)));
    assert_eq!(metric(&service).await, "clickstream_sites_file_ok 1");

    // Both keys for as long as clients change over, then the new one alone; a site is added.
    scene.write(&shop("\"0ld-s3cret\", \"n3w-s3cret\""));
    answers(&service, "n3w-s3cret", 200).await;
    assert_eq!(status(&service, "0ld-s3cret").await, 200);
    scene.write(&format!("{}timezone = \"Europe/Berlin\"\n[[site]]\nid = \"blog\"\nwrite_keys = [\"bl0g\"]\n", shop("\"n3w-s3cret\"")));
    answers(&service, "0ld-s3cret", 401).await;
    assert_eq!((status(&service, "n3w-s3cret").await, status(&service, "bl0g").await), (200, 200));
    let listed = service.json("/v1/sites").await;
    assert_eq!(listed["sites"], serde_json::json!(["shop", "blog"]));
    assert_eq!(listed["timezones"], serde_json::json!({ "shop": "Europe/Berlin", "blog": "UTC" }));

    scene.write("[[site]]\nid = \"shop\"\nwrite_keys = \"n3w-s3cret\"\n");
    let broken = sites(&service, true).await;
    let error = broken["error"].as_str().expect("a text");
    assert!(error.contains("line 3: write_keys of [site]") && error.contains("a list of keys"), "{error}");
    assert!(error.contains(scene.file().to_str().expect("a path")) && !error.contains("s3cret"), "{error}");
    assert_eq!(metric(&service).await, "clickstream_sites_file_ok 0");
    let shown = service.command(["status"]).await.expect_success();
    assert!(shown.contains("SITES ARE NOT WHAT IS WRITTEN") && shown.contains("line 3") && shown.contains("2 sites hold"), "{shown}");
    assert_eq!((status(&service, "n3w-s3cret").await, status(&service, "bl0g").await), (200, 200), "the sites are as they were");
    let said = service.said();
    assert_eq!(said.matches("line 3: write_keys").count(), 1, "said once: {said}");
    assert!(!said.contains("s3cret"), "no key is logged: {said}");

    scene.write(&shop("\"n3w-s3cret\""));
    assert_eq!(sites(&service, false).await["count"], 1);
    assert_eq!(metric(&service).await, "clickstream_sites_file_ok 1");
    answers(&service, "bl0g", 401).await;
    let shown = service.command(["status"]).await.expect_success();
    assert!(shown.contains(&format!("1 sites of {}", scene.file().display())), "{shown}");
    assert!(service.terminate().await.success());
}
