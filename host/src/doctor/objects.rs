//! The bucket on MinIO or S3.

use std::time::Duration;

use clickstream_event::Micros;
use clickstream_objects::{
    Condition, ObjectError, Objects as _, PutOptions,
    s3::{Lifecycle, S3Config, S3Objects, unannounced},
};
use uuid::Uuid;

use super::{Finding, WITHIN, clock, firing::Watch};
use crate::{client::Service, servers::Servers, up::probe};

/// The part.
pub const PART: &str = "objects";

const RIGHTS: &str = "give the key of AWS_ACCESS_KEY_ID the right to put, get, list and delete in the bucket";
/// Longest wait for a server to say its name.
const NAMED_WITHIN: Duration = Duration::from_secs(2);

/// Looks at the bucket of `config`.
pub async fn examine(config: &S3Config, servers: &Servers, service: &Service, findings: &mut Vec<Finding>) {
    let objects = S3Objects::connect(config).await;
    let reached = tokio::time::timeout(WITHIN, objects.reach_bucket()).await;
    findings
        .push(reachable(config, reached.unwrap_or_else(|_| Err(ObjectError::Unavailable(format!("no answer within {WITHIN:?}"))))).await);
    if findings.iter().any(|finding| finding.mend.is_some()) {
        return;
    }
    findings.push(announces(&objects, servers.notifications_arn.as_deref()).await);
    findings.push(expires(objects.lifecycle().await, servers.expires_by_tag));
    let watch = Watch::begin(servers, service).await;
    let key = format!("{}{}", probe::PREFIX, Uuid::new_v4());
    let tried = tokio::time::timeout(WITHIN, tried(&objects, &key, findings)).await;
    match tried {
        Ok(true) => findings.push(watch.end(&key).await),
        Ok(false) => {}
        Err(_) => findings.push(Finding::broken(PART, "write and read", format!("no answers within {WITHIN:?}"), RIGHTS)),
    }
    if let Err(error) = objects.delete(&key).await {
        findings.push(Finding::broken(PART, "delete", format!("{key}: {error}"), RIGHTS));
    }
}

async fn reachable(config: &S3Config, reached: Result<(), ObjectError>) -> Finding {
    let endpoint = config.endpoint.as_deref();
    let place = format!("s3://{} at {}", config.bucket, endpoint.unwrap_or("AWS"));
    let (error, mend) = match reached {
        Ok(()) => {
            let server = match endpoint {
                Some(endpoint) => server(endpoint).await,
                None => None,
            };
            return Finding::ok(PART, "reachable", server.map_or_else(|| place.clone(), |server| format!("{place}: {server}")));
        }
        Err(ObjectError::NotFound(_)) => ("there is no such bucket".to_owned(), "`clickstream setup` makes it, or correct OBJECTS_URL"),
        Err(error @ ObjectError::Unavailable(_)) => {
            (error.to_string(), "start the server, or correct OBJECTS_URL; meanwhile events wait in the log")
        }
        Err(error) => (error.to_string(), "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give that key rights on the bucket"),
    };
    Finding::broken(PART, "reachable", format!("{place}: {error}"), mend)
}

/// What the server calls itself.
async fn server(endpoint: &str) -> Option<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(NAMED_WITHIN).build().ok()?;
    let answer = client.get(endpoint).send().await.ok()?;
    Some(answer.headers().get(http::header::SERVER)?.to_str().ok()?.to_owned())
}

/// Whether the bucket is told to announce what functions wait for.
async fn announces(objects: &S3Objects, arn: Option<&str>) -> Finding {
    let check = "notifications";
    let mend = match arn {
        Some(_) => "`clickstream setup` sets them",
        None => "set NOTIFICATIONS_ARN and run `clickstream setup`",
    };
    match objects.announcements().await {
        Ok(found) => match (unannounced(&found, arn).join(", "), arn) {
            (missing, None) if missing.is_empty() => Finding::ok(PART, check, "new objects are announced"),
            (missing, Some(arn)) if missing.is_empty() => Finding::ok(PART, check, format!("new objects are announced to {arn}")),
            (missing, _) => Finding::broken(PART, check, format!("new objects under {missing} are announced to nobody"), mend),
        },
        Err(error) => Finding::warning(PART, check, format!("the settings cannot be read: {error}"), "allow s3:GetBucketNotification"),
    }
}

/// Whether the bucket removes what it should, and nothing else.
fn expires(lifecycle: Result<Lifecycle, ObjectError>, by_tag: bool) -> Finding {
    let check = "lifecycle";
    match lifecycle {
        Ok(Lifecycle { by_age, .. }) if !by_age.is_empty() => {
            let found = format!("rules remove objects by their age that functions may still need: {}", by_age.join(", "));
            Finding::broken(PART, check, found, "take them away, or limit them to other prefixes; docs/retention.md says who removes what")
        }
        Ok(Lifecycle { expires_tagged: false, .. }) if by_tag => {
            let found = "RAW_EXPIRY=tag, and no rule removes raw objects that are tagged: they stay";
            Finding::broken(PART, check, found, "`clickstream setup` sets the rule, or say RAW_EXPIRY=delete")
        }
        Ok(_) if by_tag => Finding::ok(PART, check, "raw objects that retention tags are removed by the bucket"),
        Ok(_) => Finding::ok(PART, check, "no rule removes what functions may still need"),
        Err(error) => Finding::warning(PART, check, format!("the rules cannot be read: {error}"), "allow s3:GetLifecycleConfiguration"),
    }
}

/// Writes the object `key` and does with it what functions do; true if it stands.
async fn tried(objects: &S3Objects, key: &str, findings: &mut Vec<Finding>) -> bool {
    let check = "write and read";
    let absent = || PutOptions { condition: Condition::Absent, ..PutOptions::default() };
    let asked = Micros::now();
    if let Err(error) = objects.put(key, "doctor".into(), absent()).await {
        findings.push(Finding::broken(PART, check, format!("{key}: {error}"), RIGHTS));
        return false;
    }
    let halfway = i64::midpoint(asked.0, Micros::now().0);
    findings.push(match objects.put(key, "again".into(), absent()).await {
        Err(ObjectError::PreconditionFailed(_)) => Finding::ok(PART, "conditional writes", "an object that stands is not written over"),
        Ok(_) => {
            let mend = "take a server that honours If-None-Match (S3, MinIO since 2024): without it events may be lost or counted twice";
            Finding::broken(PART, "conditional writes", "If-None-Match: * wrote over an object that stands", mend)
        }
        Err(error) => Finding::broken(PART, "conditional writes", error.to_string(), RIGHTS),
    });
    let read = objects.get(key).await;
    let listed = objects.list(key, None, 1).await;
    findings.push(match (&read, &listed) {
        (Err(error), _) | (_, Err(error)) => Finding::broken(PART, check, error.to_string(), RIGHTS),
        (Ok(_), Ok(found)) if found.is_empty() => {
            Finding::broken(PART, check, "a new object is not listed", "take a server with S3's consistency")
        }
        (Ok(_), Ok(_)) => Finding::ok(PART, check, "an object was put, read and listed"),
    });
    if let Some(object) = listed.unwrap_or_default().first() {
        findings.push(clock::judge(PART, object.modified_at - halfway));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_bucket_are_judged_by_who_removes_raw_objects() {
        let said = |by_age: &[&str], expires_tagged, by_tag| {
            let lifecycle = Lifecycle { expires_tagged, by_age: by_age.iter().map(|rule| (*rule).to_owned()).collect() };
            let finding = expires(Ok(lifecycle), by_tag);
            format!("{} {}", finding.found, finding.mend.unwrap_or_default())
        };
        assert_eq!(said(&[], true, true), "raw objects that retention tags are removed by the bucket ");
        assert_eq!(said(&[], false, false), "no rule removes what functions may still need ");
        assert!(said(&[], false, true).contains("they stay `clickstream setup` sets the rule"));
        assert!(said(&["old"], true, true).contains("functions may still need: old take them away"));
        assert!(expires(Err(ObjectError::Refused("AccessDenied".to_owned())), false).mend.is_some());
    }
}
