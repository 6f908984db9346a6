//! Where a bucket is.

use std::{fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Credentials, RequestChecksumCalculation, ResponseChecksumValidation},
};
use aws_smithy_http_client::{Builder, tls};

/// A connection that was not used for so long is not used again: what lies between may have forgotten it without a word, and a
/// request through it would wait for a minute. S3 itself ends idle ones after some 20 s.
const IDLE: Duration = Duration::from_secs(10);

/// Where a bucket is and who may use it.
#[derive(Clone)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// Where it is served, if not by AWS.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// Access key; credentials come from the environment where there is none.
    pub access_key: Option<String>,
    /// Secret key.
    pub secret_key: Option<String>,
}

/// `OBJECTS_URL` cannot be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("OBJECTS_URL is wrong: {0}; right is s3://BUCKET, or s3://BUCKET?endpoint=http://HOST:9000&region=us-east-1")]
pub struct S3ConfigError(String);

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.access_key.is_some() { "given" } else { "from the environment" };
        write!(f, "S3Config {{ bucket: {:?}, endpoint: {:?}, region: {:?}, keys: {keys} }}", self.bucket, self.endpoint, self.region)
    }
}

impl S3Config {
    /// Reads `s3://BUCKET?endpoint=…&region=…`; keys come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or
    /// from wherever the AWS SDK finds them.
    pub fn from_url(text: &str) -> Result<Self, S3ConfigError> {
        let url = url::Url::parse(text).map_err(|e| S3ConfigError(e.to_string()))?;
        if url.scheme() != "s3" {
            return Err(S3ConfigError(format!("{:?} is no s3:// address", url.scheme())));
        }
        let bucket = url
            .host_str()
            .filter(|b| b.len() >= 3)
            .ok_or_else(|| S3ConfigError("it names no bucket of 3 characters or more".to_owned()))?;
        let mut config =
            Self { bucket: bucket.to_owned(), endpoint: None, region: "us-east-1".to_owned(), access_key: None, secret_key: None };
        if let Ok(region) = std::env::var("AWS_REGION") {
            config.region = region;
        }
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "endpoint" if value.starts_with("http://") || value.starts_with("https://") => config.endpoint = Some(value.into_owned()),
                "endpoint" => return Err(S3ConfigError("the endpoint begins with neither http:// nor https://".to_owned())),
                "region" => config.region = value.into_owned(),
                other => return Err(S3ConfigError(format!("it has no parameter {other:?}"))),
            }
        }
        Ok(config)
    }

    /// A client with bounded waits. TLS, where there is any, is verified always.
    pub(super) async fn client(&self) -> Client {
        let http = Builder::new()
            .pool_idle_timeout(IDLE)
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_mins(1))
            .operation_attempt_timeout(Duration::from_mins(5))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(self.region.clone()))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(4));
        if let (Some(key), Some(secret)) = (&self.access_key, &self.secret_key) {
            loader = loader.credentials_provider(Credentials::new(key, secret, None, None, "configured"));
        }
        let shared = loader.load().await;
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Client::from_conf(config.build())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_the_bucket_is() {
        let config = S3Config::from_url("s3://events?endpoint=http://127.0.0.1:9000&region=eu-1").unwrap();
        assert_eq!(
            (config.bucket.as_str(), config.endpoint.as_deref(), config.region.as_str()),
            ("events", Some("http://127.0.0.1:9000"), "eu-1")
        );
        for wrong in ["events", "http://x", "s3://", "s3://events?endpoint=localhost", "s3://events?colour=red"] {
            assert!(S3Config::from_url(wrong).unwrap_err().to_string().contains("OBJECTS_URL"), "{wrong}");
        }
    }
}
