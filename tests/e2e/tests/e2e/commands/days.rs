//! Days as the commands take them.

use clickstream_event::Micros;

/// The day so many days ago (UTC).
pub fn ago(days: i64) -> String {
    Micros::now().plus(-days * Micros::DAY).to_string()[..10].to_owned()
}
