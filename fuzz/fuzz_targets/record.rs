//! Records: of other systems (the first byte chooses the shape of those whose names do not tell), and our own, as
//! every consumer of the log decodes them.
#![no_main]

use clickstream_event::{Event, Rejection, Shape, Source, parse_record};
use clickstream_fuzz::{arrival, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let default = [Shape::Segment, Shape::Canonical, Shape::Clicks][usize::from(*choice) % 3];
    match parse_record(bytes, default) {
        Ok(raw) => {
            assert_eq!(raw.original().as_bytes(), bytes_trimmed(bytes), "a record keeps its text");
            judge(&raw, &arrival(Source::Topic));
        }
        Err(error) => assert!(error.to_string().len() < 1_000, "{error}"),
    }
    if let Ok(event) = serde_json::from_slice::<Event>(bytes) {
        let text = serde_json::to_vec(&event).expect("an event is JSON");
        assert_eq!(serde_json::from_slice::<Event>(&text).expect("an event is read back"), event);
    }
    if let Ok(rejection) = serde_json::from_slice::<Rejection>(bytes) {
        let text = serde_json::to_vec(&rejection).expect("a rejection is JSON");
        assert_eq!(serde_json::from_slice::<Rejection>(&text).expect("a rejection is read back"), rejection);
    }
});

fn bytes_trimmed(bytes: &[u8]) -> &[u8] {
    std::str::from_utf8(bytes).expect("a record is UTF-8").trim().as_bytes()
}
