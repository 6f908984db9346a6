//! What Lambda is told of a batch that failed in part
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>).

use serde::Serialize;

use crate::{Error, TriggerError, given};

/// Says whether the triggers read which items failed.
const REPORTED: &str = "REPORT_BATCH_ITEM_FAILURES";

/// What a batch is answered: nothing where it is done, else what comes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Answer(Option<Failed>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    batch_item_failures: Vec<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: Item,
}

/// Which part of a batch comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Item {
    /// A message of a queue.
    Message(String),
    /// The records of one partition from this offset on.
    Records {
        /// `TOPIC-PARTITION`, as the batch names it.
        partition: String,
        /// The first that comes again.
        offset: u64,
    },
}

/// What is done with a part that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failures {
    /// The answer names it, and Lambda tries it alone again. Only for triggers that have `ReportBatchItemFailures`: any
    /// other takes the answer for success, and what failed would be lost.
    Reported,
    /// The invocation fails, and Lambda tries the whole batch again.
    Raised,
}

impl Failures {
    /// What `REPORT_BATCH_ITEM_FAILURES` says, `true` or `false`; raised where it is not set.
    pub fn from_env() -> Result<Self, TriggerError> {
        match given(REPORTED).as_deref() {
            None | Some("false") => Ok(Self::Raised),
            Some("true") => Ok(Self::Reported),
            Some(value) => Err(TriggerError::Wrong {
                name: REPORTED,
                value: value.to_owned(),
                right: "true where every trigger of the function has ReportBatchItemFailures, else false",
            }),
        }
    }
}

/// Gathers what failed of a batch.
#[derive(Default)]
pub(crate) struct Outcome {
    failed: Vec<Item>,
    /// The first error of what Lambda cannot try alone again.
    raised: Option<Error>,
}

impl Outcome {
    /// A part failed. `item` names it, where it can be named.
    pub(crate) fn failed(&mut self, item: Option<Item>, error: Error, failures: Failures) {
        match item.filter(|_| failures == Failures::Reported) {
            Some(item) => self.failed.push(item),
            None => drop(self.raised.get_or_insert(error)),
        }
    }

    /// The answer, or the error of the invocation.
    pub(crate) fn answer(self) -> Result<Answer, Error> {
        match self.raised {
            Some(error) => Err(error),
            None if self.failed.is_empty() => Ok(Answer::default()),
            None => {
                let batch_item_failures = self.failed.into_iter().map(|item_identifier| Failure { item_identifier }).collect();
                Ok(Answer(Some(Failed { batch_item_failures })))
            }
        }
    }
}

impl Answer {
    /// True if all is done.
    pub fn is_done(&self) -> bool {
        self.0.is_none()
    }
}
