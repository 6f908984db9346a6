//! Believable, dirty and hostile traffic from a seed: the same seed gives the same bytes.

mod cast;
pub mod dirty;
pub mod hostile;
pub mod traffic;
