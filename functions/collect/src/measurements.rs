//! What Segment's browser client measures about itself: counted, and kept nowhere. It names no site and has no key.

use bytes::Bytes;
use clickstream_event::BodyError;
use clickstream_telemetry::metric;
use http::{Response, StatusCode};
use serde::{Deserialize, de::IgnoredAny};

use crate::error::CollectError;

#[derive(Deserialize)]
struct Measurements {
    series: Vec<IgnoredAny>,
}

/// Counts the measurements of a body; 204.
pub fn count(body: &[u8]) -> Result<Response<Bytes>, CollectError> {
    let measurements: Measurements = serde_json::from_slice(body).map_err(|error| wrong(&error))?;
    metrics::counter!(metric::CLIENT_MEASUREMENTS).increment(measurements.series.len() as u64);
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn wrong(error: &serde_json::Error) -> CollectError {
    if error.is_data() {
        BodyError::WrongShape(format!("the body has no array \"series\" of measurements: {error}")).into()
    } else {
        BodyError::NotJson(error.to_string()).into()
    }
}
