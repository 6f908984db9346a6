//! What a receipt says of the lines that were not taken.

use std::io::Read as _;

use crate::service::{Service, code, line, lines, rejected};
use clickstream_intake_files::{Limits, RejectedLine};
use clickstream_objects::Objects as _;
use flate2::read::GzDecoder;

/// Longer than an event may be, with a blank wherever it is cut.
fn too_long() -> String {
    format!(r#"{{"event_id":"long","action":"click",{}"element_id":"buy"}}"#, " ".repeat(40_000))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_line_among_good_ones_is_rejected_alone_with_its_number_and_reason() {
    let service = Service::start().await;
    let no_element = line(2).replace("element_id", "element");
    let text = [&line(1), "", &no_element, "{\"event_id\":", &line(3), "7", &line(4).replace("2026", "soon")].join("\n");
    let receipt = service.receipt("a.ndjson", text).await;
    assert_eq!((receipt.accepted, receipt.suspicious, receipt.rejected), (2, 0, 4));
    assert_eq!(rejected(&receipt), [(3, "element_missing"), (4, "malformed"), (6, "malformed"), (7, "time_invalid")]);
    assert_eq!((receipt.file.as_str(), receipt.site_id.as_str(), receipt.format.as_str()), ("inbox/shop/a.ndjson", "shop", "ndjson"));
    assert!(receipt.finished_at >= receipt.started_at && receipt.error.is_none());
    let originals: Vec<_> = service.rejections().into_iter().map(|r| r.original).collect();
    assert_eq!((originals.len(), originals[0].as_str(), originals[1].as_str()), (4, no_element.as_str(), "{\"event_id\":"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspicious_line_is_taken_and_counted_apart() {
    let service = Service::start().await;
    let receipt = service.receipt("a.ndjson", line(1).replace("desktop", "toaster") + "\n" + &line(2)).await;
    assert_eq!((receipt.accepted, receipt.suspicious, receipt.rejected), (1, 1, 0));
    assert_eq!(service.events().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_over_the_limit_is_rejected_alone_in_every_format() {
    let service = Service::start().await;
    let (one, two, long) = (line(1), line(2), too_long());
    let header = "event_id,action,element_id,user_id,device_type,occurred_at,note\n";
    let row = |id: u32, note: &str| format!("{id},click,buy,u,desktop,2026-11-24 10:00:00,{note}\n");
    let files = [
        ("a.ndjson", [&one, &long, &two].map(String::as_str).join("\n"), 2),
        ("b.json", format!("[{one},\n{long},\n{two}]"), 2),
        ("c.csv", [header, &row(1, ""), &row(2, &"x".repeat(40_000)), &row(3, "")].concat(), 3),
        ("d.ndjson", [&one, &"x".repeat(9 << 20), &two].map(String::as_str).join("\n"), 2),
    ];
    for (name, text, at) in files {
        let receipt = service.receipt(name, text).await;
        assert_eq!((receipt.accepted, rejected(&receipt)), (2, vec![(at, "too_large")]), "{name}");
    }
    assert!(service.rejections().iter().all(|r| r.original.len() < 100_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_not_utf_8_are_rejected_alone() {
    let service = Service::start().await;
    let text = [line(1).as_bytes(), b"\n{\"event_id\":\"\xff\"}\n", line(2).as_bytes()].concat();
    let receipt = service.receipt("a.ndjson", text).await;
    assert_eq!((receipt.accepted, rejected(&receipt)), (2, vec![(2, "malformed")]));
    let header = "event_id,action,element_id,user_id,device_type,occurred_at\n1,click,";
    let text = [header.as_bytes(), b"\xe9,u,desktop,2026-11-24 10:00:00\n2,click,buy,u,desktop,2026-11-24 10:00:00\n"].concat();
    let receipt = service.receipt("b.csv", text).await;
    assert_eq!((receipt.accepted, rejected(&receipt)), (1, vec![(2, "malformed")]));
    assert!(receipt.rejected_lines[0].reasons[0].message.contains("UTF-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rejected_lines_than_a_receipt_lists_stand_in_an_object_beside_it() {
    let service = Service::limited(Limits { listed_lines: 3, ..Limits::default() }).await;
    let receipt = service.receipt("few.ndjson", "x\n".repeat(3)).await;
    assert_eq!((receipt.rejected_lines.len(), receipt.rejected_lines_object), (3, None));
    let receipt = service.receipt("many.ndjson", lines(0..5) + &"x\n".repeat(1_200)).await;
    assert_eq!((receipt.accepted, receipt.rejected, receipt.rejected_lines.len()), (5, 1_200, 3));
    let (_, packed) = service.bucket.objects.get(&receipt.rejected_lines_object.unwrap()).await.unwrap();
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    let all: Vec<RejectedLine> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(all.iter().map(|l| l.line).collect::<Vec<_>>(), (6..1_206).collect::<Vec<_>>());
    assert_eq!(all[..3], receipt.rejected_lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_lines_has_a_receipt_of_nothing() {
    let service = Service::start().await;
    for (name, text) in [("a.ndjson", ""), ("b.json", " \n"), ("c.json", "[]"), ("d.csv", "event_id,action\n")] {
        let receipt = service.receipt(name, text).await;
        assert_eq!((receipt.lines, code(&receipt)), (0, None), "{name}");
    }
}
