//! Which ids are a person's.

use std::{collections::BTreeSet, time::Duration};

use clickstream_erasure::Person;
use clickstream_event::Logged;
use clickstream_log::EVENTS;
use clickstream_store::{Cursor, Person as Stored};
use tokio::time::{Instant, sleep};

use crate::{Erase, EraseError};

/// The consumer group whose offsets say what the event store has.
const STORE: &str = "store";
/// Pause between two looks at them.
const PAUSE: Duration = Duration::from_millis(200);
/// Events of a timeline read together.
const PAGE: usize = 500;

impl Erase {
    /// The person by every id: of a user also the anonymous ids that stand with them in some event and with no other user.
    pub(crate) async fn ids_of(&self, site: &str, person: Person) -> Result<Vec<Person>, EraseError> {
        let Person::User(user) = &person else { return Ok(vec![person]) };
        let mut linked: BTreeSet<String> = self.warehouse.anonymous_ids_of(site, user).await?.into_iter().collect();
        self.each_event(site, &Stored::User(user.clone()), |logged| {
            linked.extend(logged.event.anonymous_id.clone());
            true
        })
        .await?;
        let mut ids = vec![person.clone()];
        for anonymous in linked {
            if !self.is_of_another(site, &anonymous, user).await? {
                ids.push(Person::Anonymous(anonymous));
            }
        }
        Ok(ids)
    }

    async fn is_of_another(&self, site: &str, anonymous: &str, user: &str) -> Result<bool, EraseError> {
        let mut another = false;
        self.each_event(site, &Stored::Anonymous(anonymous.to_owned()), |logged| {
            another = logged.event.user_id.as_deref().is_some_and(|other| other != user);
            !another
        })
        .await?;
        Ok(another || self.warehouse.is_of_another(site, anonymous, user).await?)
    }

    /// Hands every event of a timeline to `look`, newest first, until it says no.
    pub(crate) async fn each_event(&self, site: &str, person: &Stored, mut look: impl FnMut(&Logged) -> bool) -> Result<(), EraseError> {
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.store.timeline(site, person, after, PAGE).await?;
            for logged in &page {
                if !look(logged) {
                    return Ok(());
                }
            }
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => after = Some(Cursor { original_at: last.event.original_at, event_id: last.event.event_id }),
                None => return Ok(()),
            }
        }
    }

    /// Waits a while for the event store to have what the log holds now: the newest link may be under way.
    pub(crate) async fn wait_for_store(&self) -> Result<(), EraseError> {
        let ends = self.log.extents(EVENTS).await?;
        let until = Instant::now() + self.timing.stored_within;
        loop {
            let committed = self.log.committed(STORE, EVENTS).await?;
            let next = |partition| committed.iter().find(|(of, _)| *of == partition).and_then(|(_, next)| *next);
            if ends.iter().all(|extent| extent.end == extent.start || next(extent.partition).is_some_and(|next| next >= extent.end)) {
                return Ok(());
            }
            if Instant::now() >= until {
                tracing::warn!("the event store lags; an anonymous id that was linked just now may be missed");
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }
}

/// A person as the event store calls them.
pub(crate) fn stored(person: &Person) -> Stored {
    match person {
        Person::User(id) => Stored::User(id.clone()),
        Person::Anonymous(id) => Stored::Anonymous(id.clone()),
    }
}
