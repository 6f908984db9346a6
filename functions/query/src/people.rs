//! A person's events, and recent rejections.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clickstream_event::Logged;
use clickstream_store::{Cursor, LoggedRejection, Person};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Answer, QueryError, answer, parameters::Parameters, sources::Sources};

/// A page of a person's events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// Newest first.
    events: Vec<Logged>,
    /// What `cursor` is for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Recent rejections.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejections {
    /// Newest first.
    rejections: Vec<LoggedRejection>,
}

/// `GET /v1/users/{id}/events?site=&limit=&cursor=&anonymous=true`, newest first.
pub async fn timeline(sources: &Sources, id: &str, parameters: &Parameters) -> Result<Answer, QueryError> {
    let site = parameters.site()?;
    let limit = parameters.limit(50, 500)?;
    let person = match parameters.get("anonymous") {
        Some("true") => Person::Anonymous(id.to_owned()),
        None | Some("false") => Person::User(id.to_owned()),
        Some(_) => return Err(QueryError::Parameter { name: "anonymous", right: "say true or false".to_owned() }),
    };
    let wrong = || QueryError::Parameter { name: "cursor", right: "pass on the next_cursor of the page before, unchanged".to_owned() };
    let after: Option<Cursor> = match parameters.get("cursor") {
        None => None,
        Some(text) => {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
            Some(serde_json::from_slice(&bytes).map_err(|_| wrong())?)
        }
    };
    let events = sources.store.timeline(site, &person, after, limit).await?;
    let next_cursor = match events.last().filter(|_| events.len() == limit) {
        None => None,
        Some(last) => {
            let cursor = Cursor { original_at: last.event.original_at, event_id: last.event.event_id };
            Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor)?))
        }
    };
    answer::json(&Timeline { events, next_cursor })
}

/// `GET /v1/rejections?site=&limit=`, newest first.
pub async fn rejections(sources: &Sources, parameters: &Parameters) -> Result<Answer, QueryError> {
    let rejections = sources.store.rejections(parameters.get("site"), parameters.limit(50, 500)?).await?;
    answer::json(&Rejections { rejections })
}
