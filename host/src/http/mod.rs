//! The HTTP face: collection, reads, the Invoke API, pages.

mod app;
mod disarm;
mod erasures;
mod export;
mod guard;
mod inbox;
mod invoke;
mod ledger;
mod linger;
mod openapi;
mod pages;
mod problem;
mod serve;
mod sigv4;
mod sites;
mod span;
mod told;

pub use app::App;
pub use openapi::text as openapi_text;
pub use serve::Server;
pub use sigv4::SigningKey;
