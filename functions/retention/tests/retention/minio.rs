//! Rules about objects on real `MinIO`: tags, and a bucket that keeps versions.

use clickstream_objects::{Objects as _, expiring::EXPIRED};
use clickstream_testkit::sample::click;

use crate::{
    raw::landed,
    service::{Service, of},
};

/// True if the object has the tag.
async fn is_tagged(service: &Service, key: &str) -> bool {
    let (name, value) = EXPIRED;
    !service.objects.tag(key, name, value).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_settled_objects_go() {
    let service = Service::on_minio().await;
    let [.., unsettled, _] = landed(&service).await;
    let service = service.later(29);
    assert_eq!(service.removed("raw objects").await, 0);
    let service = service.later(31);
    assert_eq!(service.removed("raw objects").await, 3);
    assert_eq!(service.keys("raw/").await, [unsettled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_settled_objects_are_tagged_for_the_rule_of_the_bucket() {
    let service = Service::on_minio().await.tagging().later(31);
    service.objects.expire_tagged().await.unwrap();
    let [first, second, unsettled, other] = landed(&service).await;
    assert_eq!(service.removed("raw objects").await, 3);
    for key in [&first, &second, &other] {
        assert!(is_tagged(&service, key).await, "{key}");
    }
    assert_eq!(service.keys("raw/").await.len(), 4, "the bucket removes them, in its own time");
    assert!(!is_tagged(&service, &unsettled).await);
    // Rows of an object that is written anew are without a tag: found a day later, when all are looked at once more.
    service.land(0, 0, &[click(1, 0), click(2, 0)]).await;
    assert_eq!(service.removed("raw objects").await, 0);
    let service = service.later(33);
    assert_eq!(of(&service.run().await, "raw objects").removed, Some(1));
    assert!(is_tagged(&service, &first).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_leaves_no_version_behind() {
    let service = Service::on_minio().await.later(400);
    service.objects.keep_versions().await.unwrap();
    let [.., unsettled, _] = landed(&service).await;
    for text in ["one", "other"] {
        service.put("quarantine/spill/x", text).await;
        service.put("replays/old.json", text).await;
    }
    assert_eq!(service.removed("raw objects").await, 3);
    let mut left = Vec::new();
    for prefix in ["raw/", "quarantine/", "replays/"] {
        left.extend(service.objects.versions(prefix, None).await.unwrap().versions.into_iter().map(|version| version.key));
    }
    assert_eq!(left, [unsettled]);
}
