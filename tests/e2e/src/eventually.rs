//! Waiting for a condition instead of sleeping.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` answers `Ok`, and answers that.
///
/// # Panics
/// After `deadline`, with `what` was waited for and why the last look was not it.
pub async fn eventually<T, F>(deadline: Duration, what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let until = Instant::now() + deadline;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(why) if Instant::now() >= until => panic!("not within {} s: {what}: {why}", deadline.as_secs()),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
