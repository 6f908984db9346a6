//! Bucket notifications (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).

use aws_lambda_events::s3::S3Event;
use clickstream_objects::Notification;
use percent_encoding::percent_decode_str;

/// The objects that were created. Keys are decoded once, as S3 encodes them: `+` for a space, `%` for the rest.
pub fn notifications(event: S3Event) -> Vec<Notification> {
    let created = event.records.into_iter().filter(|r| r.event_name.as_deref().is_none_or(|n| n.contains("ObjectCreated")));
    created
        .filter_map(|record| {
            let object = record.s3.object;
            let key = object.key?.replace('+', " ");
            Some(Notification {
                bucket: record.s3.bucket.name.unwrap_or_default(),
                key: percent_decode_str(&key).decode_utf8_lossy().into_owned(),
                etag: object.e_tag.unwrap_or_default().trim_matches('"').to_owned(),
                size: object.size.and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
            })
        })
        .collect()
}
