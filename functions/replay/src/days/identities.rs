//! Which events files hold: checked to be the same before and after.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::{
    array::{Array as _, AsArray as _},
    compute::cast,
    datatypes::DataType,
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, read_columns};
use clickstream_event::Event;
use uuid::Uuid;

/// An event by id and site, of which a hash will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    id: u128,
    site: u64,
}

/// An event that one side has and the other has not, or has less often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It would be lost.
    Lost(Uuid),
    /// It would be new, or twice.
    New(Uuid),
}

impl Identity {
    fn new(site: &str, id: Uuid) -> Self {
        let mut hasher = DefaultHasher::new();
        site.hash(&mut hasher);
        Self { id: id.as_u128(), site: hasher.finish() }
    }

    /// That of an event.
    pub fn of(event: &Event) -> Self {
        Self::new(&event.site_id, event.event_id)
    }
}

/// Adds the identities of a lake file.
pub fn add(identities: &mut Vec<Identity>, file: Bytes) -> Result<(), ColumnsError> {
    for batch in read_columns(file, &["event_id", "site_id"])? {
        let column = |name: &'static str| {
            let column = batch.column_by_name(name).ok_or(ColumnsError::Column(name))?;
            cast(column, &DataType::Utf8)?.as_string_opt::<i32>().cloned().ok_or(ColumnsError::Column(name))
        };
        let (ids, sites) = (column("event_id")?, column("site_id")?);
        for row in 0..batch.num_rows() {
            let wrong = || ColumnsError::Row { row, why: "it has no site or no id".to_owned() };
            if ids.is_null(row) || sites.is_null(row) {
                return Err(wrong());
            }
            let id = Uuid::try_parse(ids.value(row)).map_err(|_| wrong())?;
            identities.push(Identity::new(sites.value(row), id));
        }
    }
    Ok(())
}

/// The first event in which two differ, in any order.
pub fn difference(mut before: Vec<Identity>, mut after: Vec<Identity>) -> Option<Difference> {
    before.sort_unstable();
    after.sort_unstable();
    let at = before.iter().zip(&after).position(|(a, b)| a != b).unwrap_or(before.len().min(after.len()));
    let id = |identity: &Identity| Uuid::from_u128(identity.id);
    match (before.get(at), after.get(at)) {
        (None, None) => None,
        (Some(lost), None) => Some(Difference::Lost(id(lost))),
        (None, Some(new)) => Some(Difference::New(id(new))),
        (Some(a), Some(b)) if a < b => Some(Difference::Lost(id(a))),
        (Some(_), Some(b)) => Some(Difference::New(id(b))),
    }
}
