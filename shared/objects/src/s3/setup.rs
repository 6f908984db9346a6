//! What a bucket needs before it is used: made once, by `clickstream setup`.

use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Event, FilterRule, FilterRuleName,
        NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, VersioningConfiguration,
    },
};

use super::{S3Objects, errors};
use crate::{ObjectError, embedded::ANNOUNCED};

/// The region that a bucket is in unless another is named; it must not be named as a constraint
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>).
const USUAL_REGION: &str = "us-east-1";

impl S3Objects {
    /// Makes the bucket; false if it was there.
    ///
    /// # Errors
    /// If the server is away, or somebody else has the bucket.
    pub async fn make_bucket(&self) -> Result<bool, ObjectError> {
        let client = self.client().await;
        if client.head_bucket().bucket(self.bucket()).send().await.is_ok() {
            return Ok(false);
        }
        let elsewhere = Some(self.config.region.as_str()).filter(|region| *region != USUAL_REGION);
        let placed = elsewhere
            .map(|region| CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build());
        let made = client.create_bucket().bucket(self.bucket()).set_create_bucket_configuration(placed).send().await;
        made.map(|_| true).or_else(|error| match error.code() {
            // Another host made it since we looked.
            Some("BucketAlreadyOwnedByYou") => Ok(false),
            Some("BucketAlreadyExists") => {
                Err(ObjectError::Refused(format!("somebody else has a bucket of the name {}; choose another", self.bucket())))
            }
            _ => Err(errors::of(self.bucket(), error)),
        })
    }

    /// Has the bucket keep older versions of its objects from now on. For tests and for operators who want it: nothing of
    /// ours needs them, and what retention and erasures remove is removed with them.
    ///
    /// # Errors
    /// If the server is away or keeps no versions.
    pub async fn keep_versions(&self) -> Result<(), ObjectError> {
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = self.client().await.put_bucket_versioning().bucket(self.bucket()).versioning_configuration(on).send().await;
        put.map(|_| ()).map_err(|error| errors::of(self.bucket(), error))
    }

    /// Has the server announce new objects under the prefixes that functions wait for to the target `arn`
    /// (MinIO: `arn:minio:sqs::NAME:webhook`). It takes the place of what was announced before.
    ///
    /// # Errors
    /// If the server is away or knows no such target.
    pub async fn announce_to(&self, arn: &str) -> Result<(), ObjectError> {
        let wrong = |error: aws_sdk_s3::error::BuildError| ObjectError::Refused(error.to_string());
        let mut all = NotificationConfiguration::builder();
        for prefix in ANNOUNCED {
            let rule = FilterRule::builder().name(FilterRuleName::Prefix).value(prefix).build();
            let filter = NotificationConfigurationFilter::builder().key(S3KeyFilter::builder().filter_rules(rule).build()).build();
            let queue = QueueConfiguration::builder().queue_arn(arn).events(Event::S3ObjectCreated).filter(filter).build();
            all = all.queue_configurations(queue.map_err(wrong)?);
        }
        let request = self.client().await.put_bucket_notification_configuration().bucket(self.bucket());
        let set = request.notification_configuration(all.build()).send().await;
        set.map(|_| ()).map_err(|error| errors::of(self.bucket(), error))
    }
}
