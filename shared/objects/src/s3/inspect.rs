//! What an operator should know of a bucket.

use aws_sdk_s3::types::{Event, FilterRuleName, NotificationConfigurationFilter};

use super::{S3Objects, errors};
use crate::{ObjectError, embedded::ANNOUNCED};

/// A target to which a bucket announces new objects, as the server calls it, and the beginning of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The target; none for `EventBridge`, which has no name.
    pub arn: Option<String>,
    /// Empty for all objects.
    pub prefix: String,
}

/// Prefixes that functions wait for and that none of `announcements` to `arn` (to any, if none) covers.
pub fn unannounced(announcements: &[Announcement], arn: Option<&str>) -> Vec<&'static str> {
    let is_meant = |found: &Announcement| arn.is_none_or(|wanted| found.arn.as_deref().is_some_and(|arn| is_same(arn, wanted)));
    let covers = |prefix: &str| announcements.iter().any(|found| is_meant(found) && prefix.starts_with(&found.prefix));
    ANNOUNCED.into_iter().filter(|prefix| !covers(prefix)).collect()
}

/// MinIO puts the region that it has into a name that was given without one.
fn is_same(found: &str, wanted: &str) -> bool {
    let parts = |arn: &str| arn.split(':').enumerate().filter(|(at, _)| *at != 3).map(|(_, part)| part.to_owned()).collect::<Vec<_>>();
    parts(found) == parts(wanted)
}

impl S3Objects {
    /// Asks whether the bucket is there.
    ///
    /// # Errors
    /// [`ObjectError::NotFound`] if it is not; otherwise as the server answers.
    pub async fn reach_bucket(&self) -> Result<(), ObjectError> {
        let asked = self.client().await.head_bucket().bucket(self.bucket()).send().await;
        asked.map(|_| ()).map_err(|error| errors::of(self.bucket(), error))
    }

    /// What the bucket announces of new objects.
    ///
    /// # Errors
    /// If the server is away, or the user may not ask.
    pub async fn announcements(&self) -> Result<Vec<Announcement>, ObjectError> {
        let request = self.client().await.get_bucket_notification_configuration().bucket(self.bucket());
        let found = request.send().await.map_err(|error| errors::of(self.bucket(), error))?;
        let queues = found.queue_configurations().iter().map(|c| (c.queue_arn(), c.events(), c.filter()));
        let topics = found.topic_configurations().iter().map(|c| (c.topic_arn(), c.events(), c.filter()));
        let functions = found.lambda_function_configurations().iter().map(|c| (c.lambda_function_arn(), c.events(), c.filter()));
        let named = queues.chain(topics).chain(functions).filter(|(_, events, _)| events.contains(&Event::S3ObjectCreated));
        let named = named.filter_map(|(arn, _, filter)| Some(Announcement { arn: Some(arn.to_owned()), prefix: prefix(filter)? }));
        let all = found.event_bridge_configuration().map(|_| Announcement { arn: None, prefix: String::new() });
        Ok(named.chain(all).collect())
    }
}

/// The prefix that a filter lets through; none where it asks for a suffix too, so that not all objects are announced.
fn prefix(filter: Option<&NotificationConfigurationFilter>) -> Option<String> {
    let rules = filter.and_then(NotificationConfigurationFilter::key).map(aws_sdk_s3::types::S3KeyFilter::filter_rules).unwrap_or_default();
    let mut prefix = String::new();
    for rule in rules {
        // AWS answers `Prefix` where `prefix` was set.
        match rule.name().map(FilterRuleName::as_str) {
            Some(name) if name.eq_ignore_ascii_case("prefix") => prefix = rule.value().unwrap_or_default().to_owned(),
            _ if rule.value().unwrap_or_default().is_empty() => {}
            _ => return None,
        }
    }
    Some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBHOOK: &str = "arn:minio:sqs::H1:webhook";

    fn to(arn: &str, prefix: &str) -> Announcement {
        Announcement { arn: Some(arn.to_owned()), prefix: prefix.to_owned() }
    }

    #[test]
    fn every_prefix_has_to_be_announced_to_the_target_that_is_meant() {
        let all = [to(WEBHOOK, "raw/"), to(WEBHOOK, "inbox/"), to("arn:minio:sqs:eu-1:H1:webhook", "spill/")];
        assert!(unannounced(&all, Some(WEBHOOK)).is_empty());
        assert_eq!(unannounced(&all[..1], Some(WEBHOOK)), ["inbox/", "spill/"]);
        assert_eq!(unannounced(&all, Some("arn:minio:sqs::K1:kafka")), ANNOUNCED);
        assert_eq!(unannounced(&[], None), ANNOUNCED);
        assert!(unannounced(&[Announcement { arn: None, prefix: String::new() }], None).is_empty());
        assert_eq!(unannounced(&[to(WEBHOOK, "raw/events/")], None), ANNOUNCED);
    }
}
