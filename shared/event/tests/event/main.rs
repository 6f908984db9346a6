//! Events, sites and schemas as the functions use them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod admission;
mod documented;
mod privacy;
mod rederiving;
mod schemas;
mod sites_file;
