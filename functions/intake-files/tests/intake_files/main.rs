//! Files through intake-files on a real bucket and a real log, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod formats;
mod lambda;
mod missed;
mod once;
mod receipts;
mod refusals;
mod service;
