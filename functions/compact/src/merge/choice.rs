//! Which files are merged next: small ones whose newest rows are of one day.
//!
//! Like is merged with like, so that a row is written again only as often as its file grows fourfold, and every merge
//! leaves fewer small files than it took, so that merging comes to an end.

use std::collections::BTreeMap;

use clickstream_event::Micros;
use clickstream_lake::LakeFile;

use crate::LakeSettings;

/// Files of like size that are worth a merge while their day still grows.
const MANY: usize = 8;
/// Days after which a day hardly grows any more, and any two files of like size are merged.
const QUIET_DAYS: i64 = 2;
/// Files merged at once.
const MOST: usize = 64;
/// Sizes are alike within a power of this.
const ALIKE: u32 = 4;
/// Smaller files are all alike, bytes.
const TINY: u64 = 64 << 10;

/// The files of the next merge, the newest day's first; none if nothing is worth one.
pub fn next(files: &[LakeFile], settings: &LakeSettings, now: Micros) -> Option<Vec<LakeFile>> {
    let mut days: BTreeMap<i64, Vec<&LakeFile>> = BTreeMap::new();
    for file in files.iter().filter(|f| f.size < settings.small()) {
        days.entry(day(file.original_at_max.0)).or_default().push(file);
    }
    let quiet = day(now.0) - QUIET_DAYS;
    days.into_iter().rev().find_map(|(day, files)| like(files, if day <= quiet { 2 } else { MANY }, settings.most()))
}

/// The day of a moment, counted from 1970.
pub fn day(micros: i64) -> i64 {
    micros.div_euclid(Micros::DAY)
}

/// The smallest files of like size of which there are `least` or more, with those that are smaller still.
fn like(mut files: Vec<&LakeFile>, least: usize, most: u64) -> Option<Vec<LakeFile>> {
    files.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    let (mut bytes, mut like) = (0, 0);
    for (index, file) in files.iter().enumerate() {
        let count = index + 1;
        let (smaller, next) = (bytes, files.get(count));
        bytes += file.size;
        like = if index > 0 && tier(files[index - 1].size) == tier(file.size) { like + 1 } else { 1 };
        // What is much larger than the rest waits until the rest has grown.
        let alike = file.size <= smaller.saturating_mul(2).max(TINY);
        let full = count == MOST || next.is_some_and(|next| bytes + next.size > most);
        let last_alike = next.is_none_or(|next| tier(next.size) > tier(file.size));
        if alike && like >= least && (full || last_alike) {
            return Some(files[..count].iter().map(|f| (*f).clone()).collect());
        }
        if full {
            return None;
        }
    }
    None
}

fn tier(size: u64) -> u32 {
    (size / TINY).max(1).ilog(u64::from(ALIKE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KB: u64 = 1 << 10;
    const MB: u64 = 1 << 20;

    /// Files of these sizes, all of `day`.
    fn files(day: i64, sizes: &[u64]) -> Vec<LakeFile> {
        let at = Micros(day * Micros::DAY + 1);
        let file = |(n, size): (usize, &u64)| LakeFile {
            path: format!("{day}-{n}"),
            size: *size,
            rows: 1,
            original_at_min: at,
            original_at_max: at,
            occurred_at_min: at,
            occurred_at_max: at,
        };
        sizes.iter().enumerate().map(file).collect()
    }

    fn chosen(files: &[LakeFile], settings: &LakeSettings) -> Vec<u64> {
        let now = Micros(20_000 * Micros::DAY);
        next(files, settings, now).unwrap_or_default().iter().map(|f| f.size).collect()
    }

    #[test]
    fn a_day_that_grows_is_merged_when_files_are_many_and_one_that_does_not_when_there_are_two() {
        let settings = LakeSettings::default();
        assert!(chosen(&files(20_000, &[KB; 7]), &settings).is_empty());
        assert_eq!(chosen(&files(20_000, &[KB; 8]), &settings).len(), 8);
        assert!(chosen(&files(19_999, &[KB; 7]), &settings).is_empty());
        assert_eq!(chosen(&files(19_998, &[KB; 2]), &settings).len(), 2);
        assert!(chosen(&files(19_998, &[KB]), &settings).is_empty());
        // Not with those of another day.
        let two_days = [files(19_998, &[KB]), files(19_997, &[KB])].concat();
        assert!(chosen(&two_days, &settings).is_empty());
    }

    #[test]
    fn a_large_file_waits_until_the_small_ones_have_grown() {
        let settings = LakeSettings::default();
        assert_eq!(chosen(&files(19_000, &[60 * MB, 200 * KB, 220 * KB, 180 * KB]), &settings), [180 * KB, 200 * KB, 220 * KB]);
        assert!(chosen(&files(19_000, &[60 * MB, 600 * KB]), &settings).is_empty());
        assert_eq!(chosen(&files(19_000, &[60 * MB, 40 * MB]), &settings), [40 * MB, 60 * MB]);
        assert_eq!(chosen(&files(20_000, &[&[2 * MB][..], &[200 * KB; 8]].concat()), &settings), [200 * KB; 8]);
    }

    #[test]
    fn a_merge_takes_what_fits_and_full_files_are_left_alone() {
        let settings = LakeSettings::default();
        assert!(chosen(&files(19_000, &[64 * MB, 100 * MB, 300 * MB]), &settings).is_empty());
        assert_eq!(chosen(&files(19_000, &[50 * MB, 51 * MB, 52 * MB]), &settings), [50 * MB, 51 * MB]);
        assert_eq!(chosen(&files(20_000, &[KB; 1_000]), &settings).len(), MOST);
        let little = LakeSettings::mebibytes(128, 16);
        assert!(chosen(&files(19_000, &[4 * MB, 4 * MB]), &little).is_empty());
        assert_eq!(chosen(&files(19_000, &[3 * MB, 3 * MB, 3 * MB]), &little), [3 * MB, 3 * MB]);
    }

    /// Merging what is chosen into one file each time ends, with few files, and rewrites little.
    #[test]
    fn merging_ends_and_writes_each_byte_a_few_times() {
        let settings = LakeSettings::default();
        let (mut standing, mut written, mut appended) = (Vec::new(), 0, 0);
        for n in 0..720_u64 {
            let mut new = files(20_000, &[(150 + n % 100) * KB]);
            new[0].path = format!("append-{n}");
            appended += new[0].size;
            standing.append(&mut new);
            while let Some(taken) = next(&standing, &settings, Micros(20_000 * Micros::DAY)) {
                standing.retain(|f| !taken.contains(f));
                let size = taken.iter().map(|f| f.size).sum();
                written += size;
                let mut merged = files(20_000, &[size]);
                merged[0].path = format!("merged-{n}-{}", taken.len());
                standing.append(&mut merged);
            }
        }
        assert!(standing.len() < 24, "{} files", standing.len());
        assert!(written < appended * 3, "{written} bytes written for {appended}");
        while let Some(taken) = next(&standing, &settings, Micros(20_002 * Micros::DAY)) {
            standing.retain(|f| !taken.contains(f));
            let mut merged = files(20_000, &[taken.iter().map(|f| f.size).sum()]);
            merged[0].path = format!("quiet-{}", standing.len());
            standing.append(&mut merged);
        }
        assert!(standing.len() <= 5, "{} files", standing.len());
    }
}
