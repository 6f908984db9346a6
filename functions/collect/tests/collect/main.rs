//! collect: its answers to requests, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod browsers;
mod frozen;
mod lambda;
mod limits;
mod pixel;
mod quotas;
mod refusing;
mod segment;
mod service;
mod spilling;
mod taking;
