//! What librdkafka says, as log lines of ours.

use rdkafka::{ClientContext, client::OAuthToken, config::RDKafkaLogLevel, error::KafkaError};

use super::iam;

/// A line of librdkafka. What it calls an error is mostly a connection that it makes again by itself.
pub(super) fn line(level: RDKafkaLogLevel, facility: &str, text: &str) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        Emerg | Alert | Critical => tracing::error!(target: "librdkafka", facility, "{text}"),
        Error | Warning => tracing::warn!(target: "librdkafka", facility, "{text}"),
        Notice | Info | Debug => tracing::debug!(target: "librdkafka", facility, "{text}"),
    }
}

/// An error of a client as a whole, such as that no broker is connected.
pub(super) fn error(error: &KafkaError, reason: &str) {
    tracing::warn!(target: "librdkafka", %error, "{reason}");
}

/// A client whose callers get its errors.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, "{reason}");
    }

    fn generate_oauth_token(&self, region: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        iam::token(region)
    }
}

impl rdkafka::consumer::ConsumerContext for Quiet {}
