//! How many events a site takes.

use std::num::NonZeroU32;

/// A steady rate with room for bursts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Events a second in the long run.
    pub events_per_second: NonZeroU32,
    /// Events at once after a rest.
    pub burst: NonZeroU32,
}

/// The quota of a site; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Of each write key.
    pub per_key: Option<Rate>,
    /// Of each address that sends with a write key.
    pub per_ip: Option<Rate>,
}
