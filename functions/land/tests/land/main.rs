//! land into a real bucket, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod erased;
mod lambda;
mod landing;
