//! The sites file: read, changed and broken while the service runs; and what it says of quotas and visitors.

mod object;
mod quotas;
mod refusals;
mod reload;
mod scene;
mod schemas;
mod visitors;
