//! What one request may hold.

use ipnet::IpNet;

/// Limits of a request.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a body as sent.
    pub max_body_bytes: usize,
    /// Bytes of a body decompressed.
    pub max_decompressed_bytes: usize,
    /// Events in a batch.
    pub max_events: usize,
    /// Whose `X-Forwarded-For` and country headers are believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_body_bytes: 1 << 20, max_decompressed_bytes: 1 << 20, max_events: 500, trusted_proxies: Vec::new() }
    }
}
