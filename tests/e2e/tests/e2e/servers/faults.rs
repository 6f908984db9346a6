//! Servers that fail while events come: what was acknowledged counts once, and is stored.

mod announcements;
mod away;
mod bucket;
mod kafka;
mod seeds;
