//! A panic in a function is a failed try of it, as on Lambda: it ends neither the step that called the function nor the
//! service, and is said where every failure is.

use std::{any::Any, fmt::Display, future::Future, panic::AssertUnwindSafe};

use futures::FutureExt as _;

/// What `work` gives, its error as text with everything behind it.
///
/// # Errors
/// That of `work`, or that it panicked, and how.
pub async fn caught<T, E: Display>(work: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match unwound(work).await {
        Ok(done) => done.map_err(|error| format!("{error:#}")),
        Err(panicked) => Err(panicked),
    }
}

/// The same of work that cannot fail otherwise.
///
/// # Errors
/// That `work` panicked, and how.
pub async fn unwound<T>(work: impl Future<Output = T>) -> Result<T, String> {
    // What a function holds across its calls is behind locks that a panic does not poison, or that are taken all the same.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| format!("panicked: {}", said(&*panic)))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_what_was_said() {
        let index = || -> usize { std::hint::black_box(3) };
        let fine = caught(async { Ok::<_, anyhow::Error>(1) }).await;
        let failed = caught(async { Err::<(), _>(anyhow::anyhow!("deep").context("high")) }).await;
        let formatted = caught(async { Ok::<_, anyhow::Error>([1, 2][index()]) }).await;
        let plain = caught(async { if index() == 3 { panic!("of its own") } else { Ok::<(), anyhow::Error>(()) } }).await;
        assert_eq!((fine, failed), (Ok(1), Err("high: deep".to_owned())));
        assert_eq!(plain, Err("panicked: of its own".to_owned()));
        assert_eq!(formatted, Err("panicked: index out of bounds: the len is 2 but the index is 3".to_owned()));
    }
}
