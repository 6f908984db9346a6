//! Whether what an answer tells of waits in the bucket.

use bytes::Bytes;
use clickstream_spill::Kept;
use http::{HeaderName, HeaderValue, Response};

/// The events are in the bucket and not yet in the log.
const SPILLED: HeaderName = HeaderName::from_static("x-clickstream-spilled");

/// Says where the events are durable, unless in the log.
pub fn say_where(kept: Kept, mut response: Response<Bytes>) -> Response<Bytes> {
    if kept == Kept::Spilled {
        response.headers_mut().insert(SPILLED, HeaderValue::from_static("1"));
    }
    response
}
