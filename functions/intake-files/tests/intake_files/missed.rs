//! Files that nobody announced are found, and those that were taken are not.

use clickstream_intake_files::{Missed, missed};
use clickstream_objects::SharedObjects;

use crate::service::{Service, lines};

/// The names of files without a receipt, page by page.
async fn names(service: &Service) -> Vec<String> {
    let (objects, mut names, mut after): (SharedObjects, _, _) = (service.bucket.objects.clone(), Vec::new(), None);
    loop {
        let Missed { files, next } = missed(&objects, after.as_deref()).await.unwrap();
        names.extend(files.into_iter().map(|file| file.key.trim_start_matches("inbox/shop/").to_owned()));
        match next {
            Some(next) => after = Some(next),
            None => return names,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_receipt_is_missed_and_one_with_is_not() {
    let service = Service::start().await;
    assert!(names(&service).await.is_empty());
    // One name begins another; a folder of a console is no file.
    for name in ["a b+c%20.ndjson", "a.ndjson", "a.ndjson (1).ndjson", "räume/日本.ndjson"] {
        service.receipt(name, lines(0..1)).await;
    }
    service.bucket.put("inbox/shop/folder/", "").await;
    assert!(names(&service).await.is_empty());

    for name in ["100%.ndjson", "a.csv", "räume/b.ndjson"] {
        service.bucket.put(&format!("inbox/shop/{name}"), lines(0..1)).await;
    }
    // New content under an old name is a new file.
    service.bucket.put("inbox/shop/a.ndjson", lines(0..2)).await;
    assert_eq!(names(&service).await, ["100%.ndjson", "a.csv", "a.ndjson", "räume/b.ndjson"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_of_several_pages_is_looked_through_whole() {
    let service = Service::start().await;
    let put = async |from: usize| {
        for number in from..from + 300 {
            service.bucket.put(&format!("inbox/shop/{number:05}.ndjson"), "").await;
        }
    };
    tokio::join!(put(0), put(300), put(600), put(900));
    service.receipt("00500.ndjson", lines(0..1)).await;
    service.receipt("01100.ndjson", lines(0..1)).await;
    let names = names(&service).await;
    assert_eq!(names.len(), 1_198);
    assert!(!names.contains(&"00500.ndjson".to_owned()) && names.contains(&"01199.ndjson".to_owned()));
}
