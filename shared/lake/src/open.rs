//! The table's place on the object store.

use std::sync::Arc;

use clickstream_objects::s3::S3Config;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    prefix::PrefixStore,
};
use url::Url;

use crate::LakeError;

/// Where the table stands in the bucket.
pub const TABLE: &str = "lake/events";

/// The bucket, with conditional PUTs: a commit is one `If-None-Match: *`.
pub fn bucket(config: &S3Config) -> Result<Arc<dyn ObjectStore>, LakeError> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig { max_retries: 5, ..RetryConfig::default() });
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint).with_virtual_hosted_style_request(false);
    }
    // By `OBJECTS_URL`, or by the environment: LocalStack tells functions of itself by AWS_ENDPOINT_URL.
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint].iter().find_map(|key| builder.get_config_value(key));
    if let Some(endpoint) = endpoint {
        builder = builder.with_client_options(ClientOptions::new().with_allow_http(endpoint.starts_with("http://")));
    }
    if let (Some(key), Some(secret)) = (&config.access_key, &config.secret_key) {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    Ok(Arc::new(builder.build()?))
}

/// The table's log on `bucket`.
pub fn log_store(bucket: &Arc<dyn ObjectStore>, name: &str) -> Result<LogStoreRef, LakeError> {
    let location = Url::parse(&format!("s3://{name}/{TABLE}/")).map_err(|e| LakeError::Corrupt(e.to_string()))?;
    let prefixed: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(Arc::clone(bucket), TABLE));
    Ok(default_logstore(prefixed, Arc::clone(bucket), &location, &StorageConfig::default()))
}
