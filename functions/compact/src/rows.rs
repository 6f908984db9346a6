//! Rows of raw objects: which of them count.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
};

use arrow::array::{Array as _, AsArray as _};
use clickstream_columns::{ColumnsError, RawFile};
use clickstream_erasure::{Erased, Whose};
use clickstream_event::Micros;
use hashbrown::HashTable;

use crate::{
    offsets::Offsets,
    part::{Part, Row},
    sorted::Sorted,
};

/// Rows gathered for one commit. Only what decides is read of them; the files keep the rest, compressed.
#[derive(Debug, Default)]
pub struct Rows {
    files: Vec<RawFile>,
    /// Number of each file's first row, and its partition.
    begins: Vec<(u32, u32)>,
    rows: Vec<Row>,
    /// Whether each row stands.
    stands: Vec<bool>,
    sites: Vec<String>,
    site_numbers: HashMap<String, u32>,
    offsets: HashMap<u32, Offsets>,
    hours: BTreeSet<i64>,
    /// Rows that stand, by identity.
    identities: HashTable<u32>,
    next: u32,
    /// Records that are no event.
    pub dead_letters: u64,
    /// Repeats left out.
    pub duplicates: u64,
    /// Rows of erased people, left out.
    pub erased: u64,
}

impl Rows {
    /// Takes the rows of a raw object; an offset that was taken before is left out. `watermark` is its partition's.
    pub fn take(&mut self, part: Part, watermark: u64) {
        let sites: Vec<u32> = part.sites.into_iter().map(|site| self.site_number(site)).collect();
        let begins = self.next;
        self.next += part.file.rows() as u32;
        self.begins.push((begins, part.partition));
        self.files.push(part.file);
        self.hours.extend(part.hours);
        let offsets = self.offsets.entry(part.partition).or_insert_with(|| Offsets::from(watermark));
        self.dead_letters += part.dead_letters.into_iter().filter(|offset| offsets.take(*offset)).count() as u64;
        self.erased += part.erased.into_iter().filter(|offset| offsets.take(*offset)).count() as u64;
        let rows = part.rows.into_iter().filter(|row| offsets.take(row.offset));
        self.rows.extend(rows.map(|row| Row { number: begins + row.number, site: sites[row.site as usize], ..row }));
        self.stands.resize(self.rows.len(), true);
    }

    fn site_number(&mut self, site: String) -> u32 {
        if let Some(number) = self.site_numbers.get(&site) {
            return *number;
        }
        let number = self.sites.len() as u32;
        self.sites.push(site.clone());
        self.site_numbers.insert(site, number);
        number
    }

    /// Raw objects taken.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Hours (since 1970) in which an earlier copy of a row may lie.
    pub fn hours(&self) -> &BTreeSet<i64> {
        &self.hours
    }

    /// Index of the file of a row.
    fn file(&self, row: &Row) -> usize {
        self.begins.partition_point(|(begin, _)| *begin <= row.number) - 1
    }

    /// How many rows stand, by partition.
    pub fn standing(&self) -> BTreeMap<u32, u64> {
        let (mut standing, mut file) = (BTreeMap::new(), 0);
        for (row, _) in self.rows.iter().zip(&self.stands).filter(|(_, stands)| **stands) {
            // Rows stand file by file.
            while self.begins.get(file + 1).is_some_and(|(begin, _)| *begin <= row.number) {
                file += 1;
            }
            *standing.entry(self.begins[file].1).or_insert(0) += 1;
        }
        standing
    }

    /// Leaves out rows of people who are erased. The columns that name people are read only where somebody is.
    pub fn forget(&mut self, erased: &Erased) -> Result<(), ColumnsError> {
        let concerned: Vec<bool> = self.sites.iter().map(|site| erased.concerns(site)).collect();
        if !concerned.contains(&true) {
            return Ok(());
        }
        let mut people: Option<(usize, _, _)> = None;
        for index in 0..self.rows.len() {
            let row = self.rows[index];
            if !concerned[row.site as usize] {
                continue;
            }
            // Rows stand file by file.
            let file = self.file(&row);
            if people.as_ref().is_none_or(|(of, _, _)| *of != file) {
                let batch = self.files[file].columns(&["user_id", "anonymous_id"])?;
                let text = |name: &'static str| {
                    batch.column_by_name(name).and_then(|c| c.as_string_view_opt()).cloned().ok_or(ColumnsError::Column(name))
                };
                people = Some((file, text("user_id")?, text("anonymous_id")?));
            }
            let Some((_, users, anonymous)) = &people else { continue };
            let place = (row.number - self.begins[file].0) as usize;
            let whose = Whose {
                site: &self.sites[row.site as usize],
                user: users.is_valid(place).then(|| users.value(place)),
                anonymous: anonymous.is_valid(place).then(|| anonymous.value(place)),
                original_at: Micros(row.original_at),
                received_at: Micros(row.received_at),
            };
            if erased.erases_what(&whose) {
                self.stands[index] = false;
                self.erased += 1;
            }
        }
        Ok(())
    }

    /// Leaves out repeats among the rows themselves: the copy with the lowest (`received_at`, partition, offset) stays.
    pub fn deduplicate(&mut self) {
        let mut identities: HashTable<u32> = HashTable::with_capacity(self.rows.len());
        for index in 0..self.rows.len() {
            if !self.stands[index] {
                continue;
            }
            let row = &self.rows[index];
            let same = |other: &u32| {
                let other = &self.rows[*other as usize];
                (other.id, other.site) == (row.id, row.site)
            };
            match identities.find_mut(row.hash, same) {
                None => {
                    identities.insert_unique(row.hash, index as u32, |other| self.rows[*other as usize].hash);
                }
                Some(standing) => {
                    let earlier = self.order(row) < self.order(&self.rows[*standing as usize]);
                    let out = if earlier { mem::replace(standing, index as u32) } else { index as u32 };
                    self.stands[out as usize] = false;
                    self.duplicates += 1;
                }
            }
        }
        self.identities = identities;
    }

    fn order(&self, row: &Row) -> (i64, u32, u64) {
        (row.received_at, self.begins[self.file(row)].1, row.offset)
    }

    /// True if a row with this hash stands, most likely.
    pub fn has_hash(&self, hash: u64) -> bool {
        self.identities.find(hash, |index| self.rows[*index as usize].hash == hash).is_some()
    }

    /// Leaves out the row of an identity that the lake has.
    pub fn leave_out(&mut self, hash: u64, site: &str, id: u128) {
        let same = |index: &u32| {
            let row = &self.rows[*index as usize];
            row.id == id && self.sites[row.site as usize] == site
        };
        if let Ok(entry) = self.identities.find_entry(hash, same) {
            let (index, _) = entry.remove();
            self.stands[index as usize] = false;
            self.duplicates += 1;
        }
    }

    /// The rows that stand, by site, time and id.
    pub fn sorted(self) -> Sorted {
        drop(self.identities);
        let mut ranks: Vec<u32> = (0..self.sites.len() as u32).collect();
        ranks.sort_unstable_by_key(|site| &self.sites[*site as usize]);
        let mut rank = vec![0; ranks.len()];
        (0_u32..).zip(&ranks).for_each(|(place, site)| rank[*site as usize] = place);
        let rows = self.rows;
        let mut order: Vec<u32> = (0_u32..).zip(&self.stands).filter(|(_, stands)| **stands).map(|(index, _)| index).collect();
        let key = |index: &u32| {
            let row = &rows[*index as usize];
            (rank[row.site as usize], row.original_at, row.id)
        };
        // Files are sorted within: a sort that merges the runs that it finds.
        order.sort_by_key(key);
        Sorted::of(self.files, order.into_iter().map(move |index| rows[index as usize]))
    }
}
