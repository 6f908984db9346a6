//! Records of other systems through intake-topic, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod intake;
mod lambda;
