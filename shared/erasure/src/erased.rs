//! Whether an event is erased, by the tombstones of one look.

use std::collections::HashMap;

use arrow::{
    array::{Array, AsArray as _, BooleanArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use clickstream_columns::ColumnsError;
use clickstream_event::{Event, Micros, Rejection};

use crate::{ErasureKey, Kind, Person, Tombstone, key::unhex, names_in, original::site_of};

/// Who did what when: as much of an event as an erasure asks for.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The site.
    pub site: &'a str,
    /// `user_id`.
    pub user: Option<&'a str>,
    /// `anonymous_id`.
    pub anonymous: Option<&'a str>,
    /// When the service took it.
    pub received_at: Micros,
    /// When it happened by the sender's clock.
    pub original_at: Micros,
}

/// A site's tombstones.
#[derive(Clone, Debug, Default)]
struct OfSite {
    /// The newest of all: what lies after it needs no hash.
    newest: i64,
    erased_at: HashMap<(Kind, [u8; 32]), i64>,
}

/// The tombstones of one look at the bucket.
#[derive(Clone, Debug, Default)]
pub struct Erased {
    key: Option<ErasureKey>,
    sites: HashMap<String, OfSite>,
}

impl Erased {
    /// The tombstones `of`, whose hashes are made with `key`.
    pub fn new(key: ErasureKey, of: impl IntoIterator<Item = Tombstone>) -> Self {
        let mut sites: HashMap<String, OfSite> = HashMap::new();
        for tombstone in of {
            let Some(hash) = unhex(&tombstone.hash).and_then(|hash| <[u8; 32]>::try_from(hash).ok()) else { continue };
            let site = sites.entry(tombstone.site_id).or_insert_with(|| OfSite { newest: i64::MIN, ..OfSite::default() });
            site.newest = site.newest.max(tombstone.erased_at.0);
            let at = site.erased_at.entry((tombstone.kind, hash)).or_insert(i64::MIN);
            *at = (*at).max(tombstone.erased_at.0);
        }
        Self { key: Some(key), sites }
    }

    /// True if nobody is forgotten.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// True if somebody of `site` is forgotten.
    pub fn concerns(&self, site: &str) -> bool {
        self.sites.contains_key(site)
    }

    /// True if `event` is erased.
    pub fn erases(&self, event: &Event) -> bool {
        self.erases_what(&Whose {
            site: &event.site_id,
            user: event.user_id.as_deref(),
            anonymous: event.anonymous_id.as_deref(),
            received_at: event.received_at,
            original_at: event.original_at,
        })
    }

    /// True if an event of these ids and times is erased.
    pub fn erases_what(&self, whose: &Whose<'_>) -> bool {
        let Some(site) = self.sites.get(whose.site) else { return false };
        let earliest = whose.received_at.min(whose.original_at).0;
        if earliest > site.newest {
            return false;
        }
        let Some(key) = &self.key else { return false };
        let forgotten = |kind: Kind, id: Option<&str>| {
            let at = id.and_then(|id| site.erased_at.get(&(kind, key.digest(whose.site, kind, id))));
            at.is_some_and(|at| earliest <= *at)
        };
        forgotten(Kind::User, whose.user) || forgotten(Kind::Anonymous, whose.anonymous)
    }

    /// The ids of `event` by which it is erased, each with the moment as of which it is forgotten.
    pub fn forgotten_in(&self, event: &Event) -> Vec<(Person, Micros)> {
        let (Some(site), Some(key)) = (self.sites.get(&event.site_id), &self.key) else { return Vec::new() };
        let persons = [event.user_id.clone().map(Person::User), event.anonymous_id.clone().map(Person::Anonymous)];
        let earliest = event.received_at.min(event.original_at).0;
        let as_of = |person: &Person| site.erased_at.get(&(person.kind(), key.digest(&event.site_id, person.kind(), person.id()))).copied();
        let forgotten = persons.into_iter().flatten().filter_map(|person| as_of(&person).map(|at| (person, Micros(at))));
        forgotten.filter(|(_, at)| earliest <= at.0).collect()
    }

    /// True if `rejection` was taken from somebody who is forgotten by then.
    pub fn erases_rejection(&self, rejection: &Rejection) -> bool {
        if self.is_empty() {
            return false;
        }
        let named = names_in(&rejection.original, rejection.shape);
        let site = rejection.site_id.as_deref().or(site_of(&named));
        let Some(site) = site else { return false };
        self.erases_what(&Whose {
            site,
            user: named.user.as_deref(),
            anonymous: named.anonymous.as_deref(),
            received_at: rejection.received_at,
            original_at: rejection.received_at,
        })
    }

    /// Which rows of a raw or lake batch are erased; none where no row is. Dead letters never are. The batch needs the
    /// columns `site_id`, `user_id`, `anonymous_id`, `received_at` and `original_at`.
    pub fn mask(&self, batch: &RecordBatch) -> Result<Option<BooleanArray>, ColumnsError> {
        if self.is_empty() {
            return Ok(None);
        }
        let sites = texts(batch, "site_id")?;
        if !sites.iter().flatten().any(|site| self.concerns(site)) {
            return Ok(None);
        }
        let (users, anonymous) = (texts(batch, "user_id")?, texts(batch, "anonymous_id")?);
        let (received, original) = (whole_numbers(batch, "received_at")?, whole_numbers(batch, "original_at")?);
        let text = |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
        let erased: BooleanArray = (0..batch.num_rows())
            .map(|row| {
                if sites.is_null(row) {
                    return Some(false);
                }
                let site = sites.value(row);
                if !self.concerns(site) {
                    return Some(false);
                }
                let (user, visitor) = (text(&users, row), text(&anonymous, row));
                Some(self.erases_what(&Whose {
                    site,
                    user: user.as_deref(),
                    anonymous: visitor.as_deref(),
                    received_at: Micros(received[row]),
                    original_at: Micros(original[row]),
                }))
            })
            .collect();
        Ok((erased.true_count() > 0).then_some(erased))
    }

    /// The columns that [`Erased::mask`] reads.
    pub const COLUMNS: [&'static str; 5] = ["site_id", "user_id", "anonymous_id", "received_at", "original_at"];
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a dyn Array, ColumnsError> {
    batch.column_by_name(name).map(AsRef::as_ref).ok_or(ColumnsError::Column(name))
}

/// A column of texts, whatever form of text the reader chose.
fn texts(batch: &RecordBatch, name: &'static str) -> Result<StringArray, ColumnsError> {
    let plain = cast(column(batch, name)?, &DataType::Utf8)?;
    plain.as_string_opt::<i32>().cloned().ok_or(ColumnsError::Column(name))
}

/// A column of moments (µs UTC) or numbers; what is null lies after every tombstone.
pub(crate) fn whole_numbers(batch: &RecordBatch, name: &'static str) -> Result<Vec<i64>, ColumnsError> {
    let plain = cast(column(batch, name)?, &DataType::Int64)?;
    let plain = plain.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column(name))?;
    Ok(plain.iter().map(|at| at.unwrap_or(i64::MAX)).collect())
}
