//! Rules by which a bucket removes objects itself.

use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter,
        Tag,
    },
};

use super::{S3Objects, errors};
use crate::{
    ObjectError,
    expiring::{EXPIRED, RAW},
};

/// Our rule's name, in `template.yaml` too.
const RULE: &str = "ExpiredRawObjects";
/// Days after which what is tagged goes: the fewest that S3 takes.
const DAYS: i32 = 1;
/// Where age alone may remove nothing: raw objects may not be settled, and the lake knows itself what it needs.
const KEPT: [&str; 3] = [RAW, "lake/", "erasures/"];

/// What a bucket's rules do to our objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Raw objects that carry [`EXPIRED`] are removed.
    pub expires_tagged: bool,
    /// Rules, by name, that remove by age alone what functions may still need.
    pub by_age: Vec<String>,
}

impl S3Objects {
    /// Has the bucket remove raw objects that carry the tag [`EXPIRED`]; false if it does already. Its other rules stay.
    ///
    /// # Errors
    /// If the server is away, knows no such rules, or the user may not set them.
    pub async fn expire_tagged(&self) -> Result<bool, ObjectError> {
        let rules = self.rules().await?;
        if judged(&rules).expires_tagged {
            return Ok(false);
        }
        let wrong = |error: aws_sdk_s3::error::BuildError| ObjectError::Refused(error.to_string());
        let others = rules.into_iter().filter(|rule| rule.id() != Some(RULE)).collect::<Vec<_>>();
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(others)).rules(rule().map_err(wrong)?).build().map_err(wrong)?;
        let request = self.client().await.put_bucket_lifecycle_configuration().bucket(self.bucket());
        let put = request.lifecycle_configuration(all).send().await;
        put.map(|_| true).map_err(|error| errors::of(self.bucket(), error))
    }

    /// What the bucket's rules do to our objects.
    ///
    /// # Errors
    /// If the server is away, or the user may not ask.
    pub async fn lifecycle(&self) -> Result<Lifecycle, ObjectError> {
        Ok(judged(&self.rules().await?))
    }

    async fn rules(&self) -> Result<Vec<LifecycleRule>, ObjectError> {
        match self.client().await.get_bucket_lifecycle_configuration().bucket(self.bucket()).send().await {
            Ok(found) => Ok(found.rules().to_vec()),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Vec::new()),
            Err(error) => Err(errors::of(self.bucket(), error)),
        }
    }
}

fn rule() -> Result<LifecycleRule, aws_sdk_s3::error::BuildError> {
    let tag = Tag::builder().key(EXPIRED.0).value(EXPIRED.1).build()?;
    let both = LifecycleRuleAndOperator::builder().prefix(RAW).tags(tag).build();
    LifecycleRule::builder()
        .id(RULE)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().and(both).build())
        .expiration(LifecycleExpiration::builder().days(DAYS).build())
        .build()
}

fn judged(rules: &[LifecycleRule]) -> Lifecycle {
    let removes = |rule: &&LifecycleRule| {
        let expiration = rule.expiration().filter(|expiration| expiration.days().is_some() || expiration.date().is_some());
        *rule.status() == ExpirationStatus::Enabled && expiration.is_some()
    };
    let mut found = Lifecycle::default();
    for rule in rules.iter().filter(removes) {
        let (prefix, tags) = chosen(rule);
        if tags.is_empty() {
            if KEPT.iter().any(|kept| kept.starts_with(&prefix) || prefix.starts_with(kept)) {
                found.by_age.push(rule.id().unwrap_or("(without a name)").to_owned());
            }
        } else if RAW.starts_with(&prefix) && tags.iter().all(|tag| (tag.key(), tag.value()) == EXPIRED) {
            found.expires_tagged = true;
        }
    }
    found
}

/// The prefix and the tags by which a rule chooses objects; it stands in one of four places.
fn chosen(rule: &LifecycleRule) -> (String, Vec<Tag>) {
    let filter = rule.filter();
    let both = filter.and_then(LifecycleRuleFilter::and);
    #[expect(deprecated, reason = "rules of before have it there")]
    let of_rule = rule.prefix();
    let prefix = both.and_then(LifecycleRuleAndOperator::prefix).or(filter.and_then(LifecycleRuleFilter::prefix)).or(of_rule);
    let tags = both.map(LifecycleRuleAndOperator::tags).unwrap_or_default().iter().chain(filter.and_then(LifecycleRuleFilter::tag));
    (prefix.unwrap_or_default().to_owned(), tags.cloned().collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn by(filter: LifecycleRuleFilter) -> LifecycleRule {
        let expiration = LifecycleExpiration::builder().days(30).build();
        LifecycleRule::builder().id("other").status(ExpirationStatus::Enabled).filter(filter).expiration(expiration).build().unwrap()
    }

    #[test]
    fn our_rule_is_known_again_and_rules_by_age_are_named() {
        assert_eq!(judged(&[rule().unwrap()]), Lifecycle { expires_tagged: true, by_age: Vec::new() });
        let tag = |value: &str| Tag::builder().key(EXPIRED.0).value(value).build().unwrap();
        assert!(judged(&[by(LifecycleRuleFilter::builder().tag(tag("true")).build())]).expires_tagged);
        assert_eq!(judged(&[by(LifecycleRuleFilter::builder().tag(tag("false")).build())]), Lifecycle::default());
        let of = |prefix: &str| judged(&[by(LifecycleRuleFilter::builder().prefix(prefix).build())]).by_age;
        assert_eq!([of("raw/events/"), of(""), of("lake/")], [["other"], ["other"], ["other"]]);
        assert_eq!([of("inbox/"), of("logs/")], [[""; 0], [""; 0]]);
    }
}
