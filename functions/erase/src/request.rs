//! Who is to be forgotten.

use clickstream_erasure::Person;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::EraseError;

/// Longest id of a person, bytes; longer ones are no ids of events.
const LONGEST: usize = 1_000;

/// A person of a site, by one of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// The site.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._-]+$")]
    pub site: String,
    /// By `user_id`; anonymous ids that stand with it, and with no other user, are erased too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1)]
    pub user_id: Option<String>,
    /// By `anonymous_id`, alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1)]
    pub anonymous_id: Option<String>,
}

impl EraseRequest {
    /// The person that is meant.
    pub fn person(&self) -> Result<Person, EraseError> {
        let site =
            !self.site.is_empty() && self.site.len() <= 100 && self.site.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !site {
            return Err(EraseError::Request("site is wrong: name the site, such as shop"));
        }
        let person = match (&self.user_id, &self.anonymous_id) {
            (Some(id), None) => Person::User(id.clone()),
            (None, Some(id)) => Person::Anonymous(id.clone()),
            _ => return Err(EraseError::Request("name the person by user_id or by anonymous_id, one of them")),
        };
        if person.id().is_empty() || person.id().len() > LONGEST {
            return Err(EraseError::Request("the id is wrong: an id of a person has 1 to 1000 bytes"));
        }
        Ok(person)
    }
}
