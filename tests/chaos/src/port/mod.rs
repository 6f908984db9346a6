//! Ports in memory: what is kept outlives every kill; how calls fare, the seed decides.

pub mod bucket;
pub mod clicks;
pub mod compared;
pub mod erased;
pub mod lake;
pub mod log;
pub mod objects;
pub mod queue;
pub mod replayed;
pub mod store;
pub mod tables;
pub mod warehouse;
