//! Clocks: a server's against that of this machine.

use super::Finding;

/// Apart by more, events are dated wrongly, µs.
const WARNING: u64 = 5_000_000;
/// Apart by more, S3 soon takes no signature: it allows 15 minutes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>). µs.
const BROKEN: u64 = 300_000_000;

const MEND: &str = "set the clocks by NTP (chrony, systemd-timesyncd), on this machine and on the server";

/// Judges a clock that is `ahead` µs ahead of ours.
pub fn judge(part: &'static str, ahead: i64) -> Finding {
    let apart = ahead.unsigned_abs();
    let found = match (apart, ahead) {
        (..1_000_000, _) => "less than a second apart".to_owned(),
        (_, 0..) => format!("{} s ahead of this machine", apart / 1_000_000),
        (_, _) => format!("{} s behind this machine", apart / 1_000_000),
    };
    if apart <= WARNING {
        Finding::ok(part, "clock", found)
    } else if apart <= BROKEN {
        Finding::warning(part, "clock", found, MEND)
    } else {
        Finding::broken(part, "clock", found, MEND)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn seconds_apart_are_a_warning_and_minutes_are_broken() {
        let judged = |ahead| {
            let Finding { state, found, .. } = judge("log", ahead);
            (state, found)
        };
        assert_eq!(judged(-999_999), (State::Ok, "less than a second apart".to_owned()));
        assert_eq!(judged(4_000_000), (State::Ok, "4 s ahead of this machine".to_owned()));
        assert_eq!(judged(-5_000_001), (State::Warning, "5 s behind this machine".to_owned()));
        assert_eq!(judged(301_000_000), (State::Broken, "301 s ahead of this machine".to_owned()));
    }
}
