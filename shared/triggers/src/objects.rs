//! What is done with objects that are announced.

use clickstream_objects::Notification;
use serde_json::Value;

use crate::{
    Answer, Error, Failures, TriggerError, announced,
    answer::{Item, Outcome},
};

/// The objects that a function waits for.
pub struct Objects {
    bucket: String,
    prefix: &'static str,
    failures: Failures,
}

impl Objects {
    /// Those of `bucket` under `prefix`. Failures are reported or raised as the environment says.
    pub fn from_env(bucket: &str, prefix: &'static str) -> Result<Self, TriggerError> {
        Ok(Self { bucket: bucket.to_owned(), prefix, failures: Failures::from_env()? })
    }

    /// Has `work` done with each object. A message of a queue comes again if one of its objects failed; the others are done.
    pub async fn each<E>(&self, event: &Value, work: impl AsyncFn(&Notification) -> Result<(), E>) -> Result<Answer, Error>
    where
        E: Into<Error>,
    {
        let answer = self.each_message(event, async |objects: &[Notification]| {
            let mut first = None;
            for object in objects {
                if let Err(error) = work(object).await {
                    let error: Error = error.into();
                    tracing::error!(key = object.key, %error, "an object waits");
                    first.get_or_insert(error);
                }
            }
            first.map_or(Ok(()), Err)
        });
        answer.await.unwrap_or_else(|| Err(TriggerError::from(announced::unreadable(&event.to_string())).into()))
    }

    /// Has `work` done with what each message announces, which may be nothing. None where the event announces no objects,
    /// such as a schedule's.
    pub async fn each_message(
        &self,
        event: &Value,
        work: impl AsyncFn(&[Notification]) -> Result<(), Error>,
    ) -> Option<Result<Answer, Error>> {
        let mut outcome = Outcome::default();
        for announced::Announced { message, objects } in announced(event)? {
            let ours = objects.map_err(TriggerError::from).and_then(|objects| self.ours(objects));
            let done = match ours {
                Ok(objects) => work(&objects).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = done {
                tracing::error!(message, %error, "what was announced comes again");
                outcome.failed(message.map(Item::Message), error, self.failures);
            }
        }
        Some(outcome.answer())
    }

    /// Those of the function's bucket and prefix. What lies elsewhere in it is none of its business; what lies in another
    /// bucket is a trigger that is set wrong.
    fn ours(&self, objects: Vec<Notification>) -> Result<Vec<Notification>, TriggerError> {
        let mut ours = Vec::with_capacity(objects.len());
        for object in objects {
            if object.bucket != self.bucket {
                return Err(TriggerError::Bucket { bucket: object.bucket, ours: self.bucket.clone(), key: object.key });
            }
            if object.key.starts_with(self.prefix) {
                ours.push(object);
            } else {
                tracing::warn!(key = object.key, prefix = self.prefix, "an object outside the function's prefix was announced; left alone");
            }
        }
        Ok(ours)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    const DIRECT: &str = include_str!("../fixtures/s3.json");

    fn objects(failures: Failures) -> Objects {
        Objects { bucket: "example-clickstream".to_owned(), prefix: "inbox/", failures }
    }

    /// What is answered, and the keys that were worked on; `fails` is a part of a key.
    async fn answered(fixture: &str, failures: Failures, fails: &str) -> (Result<Value, String>, Vec<String>) {
        let seen = RefCell::new(Vec::new());
        let work = async |object: &Notification| {
            seen.borrow_mut().push(object.key.clone());
            if !fails.is_empty() && object.key.contains(fails) { Err("the log is away") } else { Ok(()) }
        };
        let event = serde_json::from_str(fixture).unwrap();
        let answer = objects(failures).each(&event, work).await;
        (answer.map(|answer| serde_json::to_value(answer).unwrap()).map_err(|error| error.to_string()), seen.into_inner())
    }

    #[tokio::test]
    async fn every_form_names_the_same_object() {
        for fixture in [
            DIRECT,
            include_str!("../fixtures/s3-by-sqs.json"),
            include_str!("../fixtures/s3-by-sns.json"),
            include_str!("../fixtures/s3-by-sns-and-sqs.json"),
            include_str!("../fixtures/s3-by-eventbridge.json"),
            include_str!("../fixtures/s3-by-eventbridge-and-sqs.json"),
        ] {
            let (answer, keys) = answered(fixture, Failures::Reported, "").await;
            assert_eq!((answer, keys), (Ok(Value::Null), vec!["inbox/shop/a b+c 100%.ndjson".to_owned()]), "{fixture}");
        }
        let read = announced(&serde_json::from_str(DIRECT).unwrap()).unwrap();
        let object = read.into_iter().next().unwrap().objects.unwrap().remove(0);
        assert_eq!((object.etag.as_str(), object.size), ("d41d8cd98f00b204e9800998ecf8427e", 1_024));
    }

    #[tokio::test]
    async fn a_bucket_that_is_connected_announces_nothing() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-27T12:00:00.000Z","Bucket":"example-clickstream"}"#;
        let queued = json!({ "Records": [{ "messageId": "m-1", "eventSource": "aws:sqs", "body": test }] }).to_string();
        for event in [test, &queued, r#"{"Records":[]}"#] {
            assert_eq!(answered(event, Failures::Raised, "").await, (Ok(Value::Null), vec![]), "{event}");
        }
    }

    #[tokio::test]
    async fn what_was_deleted_is_nothing_new() {
        for event in [
            DIRECT.replace("ObjectCreated:Put", "ObjectRemoved:Delete"),
            include_str!("../fixtures/s3-by-eventbridge.json").replace("Object Created", "Object Deleted"),
        ] {
            assert_eq!(answered(&event, Failures::Raised, "").await, (Ok(Value::Null), vec![]), "{event}");
        }
    }

    /// Two messages with an object each.
    fn two() -> String {
        let one: Value = serde_json::from_str(DIRECT).unwrap();
        let other = DIRECT.replace("inbox/shop/a+b%2Bc+100%25.ndjson", "inbox/shop/other.ndjson");
        let message = |id: &str, body: String| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body });
        json!({ "Records": [message("m-1", one.to_string()), message("m-2", other)] }).to_string()
    }

    #[tokio::test]
    async fn a_message_that_fails_comes_again_and_the_others_are_done() {
        let (answer, keys) = answered(&two(), Failures::Reported, "a b+c").await;
        assert_eq!(answer, Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] })));
        assert_eq!(keys.len(), 2);
        let (answer, keys) = answered(&two(), Failures::Raised, "a b+c").await;
        assert_eq!((answer, keys.len()), (Err("the log is away".to_owned()), 2));
        let (answer, _) = answered(DIRECT, Failures::Reported, "a b+c").await;
        assert_eq!(answer, Err("the log is away".to_owned()), "nobody reads a report where no queue brought the event");
    }

    #[tokio::test]
    async fn another_bucket_is_refused_and_another_prefix_left_alone() {
        let (answer, keys) = answered(&DIRECT.replace("example-clickstream", "foreign"), Failures::Raised, "").await;
        let said = answer.unwrap_err();
        assert!(said.contains("\"foreign\"") && said.contains("\"example-clickstream\"") && keys.is_empty(), "{said}");
        let (answer, keys) = answered(&DIRECT.replace("inbox/shop", "receipts/shop"), Failures::Raised, "").await;
        assert_eq!((answer, keys), (Ok(Value::Null), vec![]));
    }

    #[tokio::test]
    async fn what_is_no_announcement_is_named() {
        let wrong = [
            r#"{"Records":[{"messageId":"m-1","eventSource":"aws:sqs","body":"hello"}]}"#,
            r#"{"Records":[{"messageId":"m-1","eventSource":"aws:sqs","body":"{\"Message\":\"{\\\"Message\\\":\\\"{}\\\"}\"}"}]}"#,
            r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"5"}}]}"#,
            r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}"#,
            r#"{"detail-type":"Object Created","source":"aws.s3","detail":{"bucket":{"name":"b"}}}"#,
            r#"{"hello":"world"}"#,
        ];
        for event in wrong {
            let (answer, _) = answered(event, Failures::Raised, "").await;
            assert!(answer.as_ref().is_err_and(|said| said.contains("announces no object")), "{event}: {answer:?}");
        }
        let (answer, _) = answered(wrong[0], Failures::Reported, "").await;
        assert_eq!(answer, Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] })));
    }

    #[tokio::test]
    async fn a_schedule_announces_nothing_and_is_told_apart() {
        for event in [json!({}), json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} })] {
            let objects = objects(Failures::Raised);
            let asked = objects.each_message(&event, async |_: &[Notification]| Ok(()));
            assert!(asked.await.is_none(), "{event}");
        }
    }
}
