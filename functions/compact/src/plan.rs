//! Which raw objects come next: the unbroken run of offsets from the watermark on.

use clickstream_columns::raw_offsets;

/// A raw object by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawObject {
    pub key: String,
    pub first: u64,
    pub last: u64,
}

impl RawObject {
    /// Reads `…/{last:020}-{first:020}.parquet`.
    pub fn of(key: &str) -> Option<Self> {
        raw_offsets(key).map(|(first, last)| Self { key: key.to_owned(), first, last })
    }
}

/// Part of a partition that is compacted next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Objects that cover it, perhaps overlapping.
    pub objects: Vec<RawObject>,
    /// The offset after its end.
    pub next: u64,
    /// The first offset that is missing, if objects follow a gap.
    pub gap_at: Option<u64>,
    /// Offsets before the objects that an accepted gap leaves out.
    pub missing: u64,
}

/// The unbroken run from `watermark` on, of about `most` rows and at least one object. A gap is never passed.
pub fn unbroken(mut objects: Vec<RawObject>, watermark: u64, most: u64) -> Run {
    objects.sort_by_key(|o| (o.first, o.last));
    let mut run = Run { next: watermark, ..Run::default() };
    for object in objects {
        if object.last < run.next {
            continue;
        }
        if object.first > run.next {
            run.gap_at = Some(run.next);
            break;
        }
        if !run.objects.is_empty() && object.last + 1 - watermark > most {
            break;
        }
        run.next = object.last + 1;
        run.objects.push(object);
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(first: u64, last: u64) -> RawObject {
        RawObject { key: format!("{first}-{last}"), first, last }
    }

    #[test]
    fn offset_zero_is_not_hidden_and_a_gap_is_not_passed() {
        let run = unbroken(vec![object(0, 4), object(5, 5), object(7, 9)], 0, 100);
        assert_eq!((run.next, run.objects.len(), run.gap_at), (6, 2, Some(6)));
    }

    #[test]
    fn a_batch_cut_differently_on_retry_covers_what_it_covers() {
        let run = unbroken(vec![object(0, 9), object(0, 4), object(5, 14), object(10, 12)], 3, 100);
        assert_eq!((run.next, run.gap_at), (15, None));
        assert_eq!(unbroken(vec![object(0, 9)], 10, 100), Run { next: 10, ..Run::default() });
    }

    #[test]
    fn a_run_ends_at_its_limit_but_takes_one_object() {
        assert_eq!(unbroken(vec![object(0, 999), object(1000, 1999)], 0, 10).next, 1000);
        assert_eq!(unbroken(vec![object(0, 4), object(5, 9), object(10, 14)], 0, 10).next, 10);
    }

    #[test]
    fn a_key_names_its_offsets() {
        assert_eq!(
            RawObject::of("raw/events/l/00001/00000000000000000009-00000000000000000003.parquet").map(|o| (o.first, o.last)),
            Some((3, 9))
        );
        assert_eq!(RawObject::of("raw/events/l/00001/x.parquet"), None);
    }
}
