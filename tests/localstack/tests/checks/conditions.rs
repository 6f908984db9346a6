//! Conditional writes.

use tokio::process::Command;

use crate::scene::{Scene, program};

/// The suite that every bucket must pass, on a bucket of LocalStack: `If-None-Match`, `If-Match`, parts, listings, odd keys.
pub async fn of_racing_writers_one_wins(scene: &Scene) {
    let suite = Command::new(program("examples/conformance"))
        .env("OBJECTS_URL", format!("s3://conformance?endpoint={}", scene.aws.endpoint))
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .output()
        .await
        .expect("the suite runs");
    assert!(suite.status.success(), "{}", String::from_utf8_lossy(&suite.stderr));
}
