//! Which events are erased, one by one and in columns.

use arrow::array::RecordBatch;
use clickstream_columns::{RawRow, raw_batch, read_parquet, records, write_raw_object};
use clickstream_erasure::{ERASED, Erased, ErasureKey, Person, Tombstone, forget_rows, names_in, text_names};
use clickstream_event::{Event, Micros, Rejection, Shape, Source};
use clickstream_testkit::sample::click;
use proptest::prelude::*;

fn key() -> ErasureKey {
    ErasureKey::new(b"a key of tests")
}

fn tombstone(site: &str, person: &Person, erased_at: i64) -> Tombstone {
    Tombstone { site_id: site.to_owned(), kind: person.kind(), hash: key().hash(site, person), erased_at: Micros(erased_at) }
}

fn event(id: u128, site: &str, user: Option<&str>, anonymous: Option<&str>, received: i64, original: i64) -> Event {
    let text = |id: Option<&str>| id.map(str::to_owned);
    Event {
        site_id: site.to_owned(),
        user_id: text(user),
        anonymous_id: text(anonymous),
        received_at: Micros(received),
        original_at: Micros(original),
        ..click(id, 0)
    }
}

#[test]
fn a_kind_a_site_and_a_time_are_told_apart() {
    let ann = Person::User("ann".to_owned());
    let erased = Erased::new(key(), [tombstone("shop", &ann, 100)]);
    let erases = |event: &Event| erased.erases(event);
    assert!(erases(&event(1, "shop", Some("ann"), None, 100, 100)));
    assert!(erases(&event(1, "shop", Some("ann"), None, 101, 100)), "it happened by then");
    assert!(erases(&event(1, "shop", Some("ann"), None, 100, 101)), "it was received by then");
    assert!(!erases(&event(1, "shop", Some("ann"), None, 101, 101)));
    assert!(!erases(&event(1, "blog", Some("ann"), None, 1, 1)));
    assert!(!erases(&event(1, "shop", None, Some("ann"), 1, 1)));
    assert!(!erases(&event(1, "shop", Some("Ann"), None, 1, 1)));
    assert_eq!(erased.forgotten_in(&event(1, "shop", Some("ann"), Some("x"), 1, 1)), [(ann, Micros(100))]);
}

#[test]
fn a_rejected_record_is_erased_by_the_ids_in_it() {
    let erased = Erased::new(
        key(),
        [tombstone("shop", &Person::User("ann".to_owned()), 100), tombstone("shop", &Person::Anonymous("a1".to_owned()), 100)],
    );
    let rejection = |site: Option<&str>, received: i64, shape: Shape, original: &str| Rejection {
        site_id: site.map(str::to_owned),
        event_id: None,
        message_id: None,
        received_at: Micros(received),
        source: Source::Http,
        shape,
        reasons: Vec::new(),
        original: original.to_owned(),
    };
    for (shape, original) in [
        (Shape::Segment, r#"{"userId":"ann","type":"hover"}"#),
        (Shape::Canonical, r#"{"user_id":"ann"}"#),
        (Shape::Clicks, r#"{"userId":"ann","createdAt":"x"}"#),
        (Shape::Segment, r#"{"anonymousId":"a1"}"#),
    ] {
        assert!(erased.erases_rejection(&rejection(Some("shop"), 100, shape, original)), "{original}");
        assert!(!erased.erases_rejection(&rejection(Some("shop"), 101, shape, original)), "{original}");
        assert!(!erased.erases_rejection(&rejection(Some("blog"), 100, shape, original)), "{original}");
    }
    assert!(erased.erases_rejection(&rejection(None, 1, Shape::Canonical, r#"{"site_id":"shop","user_id":"ann"}"#)));
    assert!(!erased.erases_rejection(&rejection(Some("shop"), 1, Shape::Segment, "no JSON: ann")));
    assert_eq!(names_in(r#"{"userId":7}"#, Shape::Segment).user.as_deref(), Some("7"));
    assert!(text_names(b"no JSON: ann", "ann") && text_names(b"ann", "ann"));
    assert!(!text_names(b"joann annie", "ann") && !text_names("анна".as_bytes(), "анн") && !text_names(b"x", ""));
    assert!(text_names(br#"{"u":"a\"b"}"#, "a\"b"));
}

#[test]
fn a_raw_object_keeps_its_offsets_and_everybody_elses_rows() {
    let erased = Erased::new(key(), [tombstone("shop", &Person::User("ann".to_owned()), 100)]);
    let ann = event(1, "shop", Some("ann"), None, 1, 1);
    let bob = event(2, "shop", Some("bob"), None, 1, 1);
    let rows: Vec<(u64, RawRow)> =
        vec![(7, RawRow::Event(Box::new(ann))), (8, RawRow::DeadLetter(b"\xff".to_vec())), (9, RawRow::Event(Box::new(bob.clone())))];
    let file = write_raw_object(&raw_batch("l", 3, &rows).unwrap()).unwrap();
    let (bytes, gone) = forget_rows(&file, "l", &erased).unwrap().unwrap();
    let back: Vec<_> = read_parquet(bytes.clone()).unwrap().iter().flat_map(|b| records(b).unwrap()).collect();
    assert_eq!((gone, back.iter().map(|r| (r.log_partition, r.log_offset)).collect::<Vec<_>>()), (1, vec![(3, 7), (3, 8), (3, 9)]));
    assert_eq!(back[0].row, RawRow::DeadLetter(ERASED.to_vec()));
    assert_eq!(back[2].row, RawRow::Event(Box::new(bob)));
    assert!(forget_rows(&bytes, "l", &erased).unwrap().is_none(), "again finds nothing");
    assert_eq!((erased.offsets(&file).unwrap(), erased.offsets(&bytes).unwrap()), (vec![7], vec![7]));
    let kept: usize = read_parquet(erased.without(file).unwrap()).unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(kept, 2);
}

proptest! {
    /// Columns say the same as events one by one, and both as the rule does.
    #[test]
    fn columns_and_events_agree(
        buried in proptest::collection::vec((0..2_usize, 0..2_usize, 0..3_usize, 0..100_i64), 0..6),
        rows in proptest::collection::vec((0..3_usize, proptest::option::of(0..3_usize), proptest::option::of(0..3_usize), 0..100_i64, 0..100_i64), 1..40),
    ) {
        let (sites, names) = (["shop", "blog", "news"], ["a", "b", "c"]);
        let person = |kind: usize, name: usize| match kind {
            0 => Person::User(names[name].to_owned()),
            _ => Person::Anonymous(names[name].to_owned()),
        };
        let erased = Erased::new(key(), buried.iter().map(|(site, kind, name, at)| tombstone(sites[*site], &person(*kind, *name), *at)));
        let events: Vec<Event> = rows
            .iter()
            .zip(0..)
            .map(|((site, user, visitor, received, original), id)| {
                event(id, sites[*site], user.map(|n| names[n]), visitor.map(|n| names[n]), *received, *original)
            })
            .collect();
        let rule = |event: &Event| buried.iter().any(|(site, kind, name, at)| {
            let id = if *kind == 0 { &event.user_id } else { &event.anonymous_id };
            event.site_id == sites[*site] && id.as_deref() == Some(names[*name]) && event.received_at.0.min(event.original_at.0) <= *at
        });
        let expected: Vec<bool> = events.iter().map(rule).collect();
        prop_assert_eq!(events.iter().map(|event| erased.erases(event)).collect::<Vec<_>>(), expected.clone());
        let raw: Vec<(u64, RawRow)> = (0..).zip(&events).map(|(offset, event)| (offset, RawRow::Event(Box::new(event.clone())))).collect();
        let mask = erased.mask(&raw_batch("l", 0, &raw).unwrap()).unwrap();
        let said: Vec<bool> = mask.map_or_else(|| vec![false; events.len()], |mask| mask.iter().map(|row| row == Some(true)).collect());
        prop_assert_eq!(said, expected);
    }
}
