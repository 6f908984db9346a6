//! A copy of what is held of a person.

use std::collections::HashSet;

use bytes::Bytes;
use clickstream_erasure::{Erased, ErasureKey, Person, Tombstone, names_in};
use clickstream_event::{Logged, Micros};
use clickstream_store::LoggedRejection;
use clickstream_warehouse::PersonColumn;
use futures::StreamExt as _;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::{Erase, EraseError, EraseRequest, persons::stored};

/// Rejections looked through.
const REJECTIONS: usize = 100_000;

/// One line of an export.
#[derive(Debug, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Line<'a> {
    /// An event of the event store.
    Store {
        /// The event with its place in the log.
        event: &'a Logged,
    },
    /// An event that the event store has forgotten, of ClickHouse.
    Warehouse {
        /// The event by the columns of `clicks`.
        event: Value,
    },
    /// A rejected record.
    Rejected {
        /// With every reason.
        rejection: &'a LoggedRejection,
    },
}

/// Where lines go, as bytes of NDJSON.
pub type Export = Sender<Bytes>;

impl Erase {
    /// Sends everything that is held of a person: of a user also what stands under linked anonymous ids. Ends early where
    /// nobody reads.
    pub async fn export(&self, request: &EraseRequest, to: &Export) -> Result<(), EraseError> {
        let site = request.site.clone();
        let persons = self.ids_of(&site, request.person()?).await?;
        let mut sent = HashSet::new();
        for person in &persons {
            let mut lines = Vec::new();
            self.each_event(&site, &stored(person), |logged| {
                if sent.insert(logged.event.event_id) {
                    lines.extend(line(&Line::Store { event: logged }));
                }
                true
            })
            .await?;
            for line in lines {
                if to.send(line).await.is_err() {
                    return Ok(());
                }
            }
        }
        for person in &persons {
            if !self.export_older(&site, person, &mut sent, to).await? {
                return Ok(());
            }
        }
        self.export_rejections(&site, &persons, to).await
    }

    /// What only ClickHouse still has; false if nobody reads.
    async fn export_older(&self, site: &str, person: &Person, sent: &mut HashSet<uuid::Uuid>, to: &Export) -> Result<bool, EraseError> {
        let column = match person {
            Person::User(_) => PersonColumn::User,
            Person::Anonymous(_) => PersonColumn::Anonymous,
        };
        let mut rows = self.warehouse.export_person(site, column, person.id())?;
        let mut cut: Vec<u8> = Vec::new();
        while let Some(chunk) = rows.next().await {
            cut.extend_from_slice(&chunk?);
            let Some(end) = cut.iter().rposition(|b| *b == b'\n') else { continue };
            let rest = cut.split_off(end + 1);
            for row in std::mem::replace(&mut cut, rest).split(|b| *b == b'\n').filter(|row| !row.is_empty()) {
                let Ok(event) = serde_json::from_slice::<Value>(row) else { continue };
                let id = event["event_id"].as_str().and_then(|id| id.parse().ok());
                if id.is_some_and(|id| sent.insert(id))
                    && let Some(line) = line(&Line::Warehouse { event })
                    && to.send(line).await.is_err()
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn export_rejections(&self, site: &str, persons: &[Person], to: &Export) -> Result<(), EraseError> {
        // The same judgement as that of an erasure of now.
        let key = ErasureKey::new(b"export");
        let tombstone = |person: &Person| Tombstone {
            site_id: site.to_owned(),
            kind: person.kind(),
            hash: key.hash(site, person),
            erased_at: Micros(i64::MAX),
        };
        let theirs = Erased::new(key.clone(), persons.iter().map(tombstone));
        for logged in self.store.rejections(None, REJECTIONS).await? {
            let named = names_in(&logged.rejection.original, logged.rejection.shape);
            let of_site = logged.rejection.site_id.as_deref().or(named.site.as_deref()) == Some(site);
            if of_site
                && theirs.erases_rejection(&logged.rejection)
                && let Some(line) = line(&Line::Rejected { rejection: &logged })
                && to.send(line).await.is_err()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn line(line: &Line<'_>) -> Option<Bytes> {
    let mut text = serde_json::to_vec(line).ok()?;
    text.push(b'\n');
    Some(text.into())
}
