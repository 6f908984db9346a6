//! `MinIO` under the suite that every bucket must pass.

use clickstream_objects::{
    ObjectError, conformance,
    s3::{S3Config, S3Objects},
};
use clickstream_testkit::servers::running;
use uuid::Uuid;

/// A bucket of this test's own on the server that `make servers` started.
fn config() -> S3Config {
    let key = |name: &str| Some(running(name, name));
    S3Config {
        bucket: format!("test-{}", Uuid::new_v4().simple()),
        access_key: key("AWS_ACCESS_KEY_ID"),
        secret_key: key("AWS_SECRET_ACCESS_KEY"),
        ..S3Config::from_url(&running("OBJECTS_URL", "OBJECTS_URL")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_minio_is_a_bucket_like_any_other() {
    let objects = S3Objects::connect(&config()).await;
    assert!(objects.make_bucket().await.unwrap());
    assert!(!objects.make_bucket().await.unwrap());
    conformance::all(&objects).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_minio_does_not_know_is_refused() {
    let objects = S3Objects::connect(&config()).await;
    objects.make_bucket().await.unwrap();
    let error = objects.announce_to("arn:minio:sqs::NONE:webhook").await.unwrap_err();
    assert!(matches!(error, ObjectError::Refused(_)), "{error}");
}
