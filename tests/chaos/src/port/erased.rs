//! ClickHouse by the port of erase: whose events are where, and what goes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use clickstream_erase::{EraseFrom, Exported};
use clickstream_event::Micros;
use clickstream_warehouse::{Commit, PersonColumn, WarehouseError};
use uuid::Uuid;

use super::{
    tables::State,
    warehouse::{WarehousePort, refused},
};
use crate::columns::Row;

impl State {
    /// Every row of `events`, whether its load counts or not, and of `fresh`.
    pub fn everything(&self) -> impl Iterator<Item = &Row> {
        self.events.iter().map(|settled| &settled.row).chain(&self.fresh)
    }
}

#[async_trait]
impl EraseFrom for WarehousePort {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        self.newest().await
    }

    async fn events_of(&self, site: &str, column: PersonColumn, id: &str, before: Micros) -> Result<Vec<Uuid>, WarehouseError> {
        let (site, id) = (site.to_owned(), id.to_owned());
        self.ask(move |state| {
            let is_theirs = |row: &&Row| {
                let named = match column {
                    PersonColumn::User => &row.user,
                    PersonColumn::Anonymous => &row.anonymous,
                };
                row.identity.0 == site && named.as_ref() == Some(&id) && row.received_at.min(row.original_at) <= before.0
            };
            let ids: BTreeSet<_> = state.everything().filter(is_theirs).map(|row| row.identity.1).collect();
            ids.into_iter().collect()
        })
        .await
    }

    async fn anonymous_ids_of(&self, site: &str, user: &str) -> Result<Vec<String>, WarehouseError> {
        let (site, user) = (site.to_owned(), user.to_owned());
        self.ask(move |state| {
            let of_site = || state.everything().filter(|row| row.identity.0 == site && row.user.is_some());
            let of = |row: &&Row| row.user.as_ref() == Some(&user);
            let theirs: BTreeSet<_> = of_site().filter(of).filter_map(|row| row.anonymous.clone()).collect();
            let others: BTreeSet<_> = of_site().filter(|row| !of(row)).filter_map(|row| row.anonymous.clone()).collect();
            theirs.difference(&others).cloned().collect()
        })
        .await
    }

    async fn is_of_another(&self, site: &str, anonymous: &str, user: &str) -> Result<bool, WarehouseError> {
        let (site, anonymous, user) = (site.to_owned(), anonymous.to_owned(), user.to_owned());
        self.ask(move |state| {
            let is_theirs = |row: &Row| row.identity.0 == site && row.anonymous.as_ref() == Some(&anonymous);
            state.everything().any(|row| is_theirs(row) && row.user.as_ref().is_some_and(|of| *of != user))
        })
        .await
    }

    async fn erase(&self, events: &[(String, Uuid)]) -> Result<(), WarehouseError> {
        self.erase_events(events).await
    }

    fn export_person(&self, _: &str, _: PersonColumn, _: &str) -> Result<Exported, WarehouseError> {
        Err(refused("nobody exports here".to_owned()))
    }
}
