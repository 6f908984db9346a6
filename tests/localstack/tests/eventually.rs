//! Waiting for a condition instead of sleeping.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks until `look` answers `Ok`, and answers that; panics after `seconds` with why the last look was not it.
pub async fn eventually<T, F>(seconds: u64, what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(why) if Instant::now() >= until => panic!("not within {seconds} s: {what}: {why}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
