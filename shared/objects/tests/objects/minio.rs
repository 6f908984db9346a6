//! `MinIO` under the suite that every bucket must pass.

use std::sync::Arc;

use clickstream_objects::{
    ObjectError, Objects as _, PutOptions, conformance, measured,
    s3::{Lifecycle, S3Objects},
};
use clickstream_testkit::servers::bucket;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_minio_is_a_bucket_like_any_other() {
    let objects = S3Objects::connect(&bucket()).await;
    assert!(objects.make_bucket().await.unwrap());
    assert!(!objects.make_bucket().await.unwrap());
    conformance::all(&objects).await;
    conformance::tags_stand_beside_each_other(&objects).await;
    conformance::without_versions_an_object_goes_at_once(&objects).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_minio_that_keeps_versions_is_cleaned_of_them() {
    let objects = S3Objects::connect(&bucket()).await;
    objects.make_bucket().await.unwrap();
    objects.put("check/before", "first".into(), PutOptions::default()).await.unwrap();
    objects.keep_versions().await.unwrap();
    let objects = measured(Arc::new(objects));
    conformance::old_versions_go_and_what_stands_stays(&*objects, "check/before").await;
    conformance::many_versions_of_a_removed_object_go(&*objects).await;
    conformance::tags_stand_beside_each_other(&*objects).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_for_tagged_objects_stands_beside_others() {
    let objects = S3Objects::connect(&bucket()).await;
    objects.make_bucket().await.unwrap();
    assert_eq!(objects.lifecycle().await.unwrap(), Lifecycle::default());
    assert!(objects.expire_tagged().await.unwrap());
    assert!(!objects.expire_tagged().await.unwrap(), "again changes nothing");
    assert_eq!(objects.lifecycle().await.unwrap(), Lifecycle { expires_tagged: true, by_age: Vec::new() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_minio_does_not_know_is_refused() {
    let objects = S3Objects::connect(&bucket()).await;
    objects.make_bucket().await.unwrap();
    let error = objects.announce_to("arn:minio:sqs::NONE:webhook").await.unwrap_err();
    assert!(matches!(error, ObjectError::Refused(_)), "{error}");
}
