//! What the embedded log and the embedded event store share: a folder claimed by one process, a
//! durable `SQLite` file in it with numbered migrations, a pool of readers, and checkpoints that do
//! not hold up the writer.
//!
//! Durability: WAL mode with `synchronous=FULL`, so a transaction is on the disk when its commit
//! returns (<https://sqlite.org/pragma.html#pragma_synchronous>).

mod checkpoint;
mod database;
mod failure;
mod folder;
mod migration;
mod readers;

pub use checkpoint::Checkpointer;
pub use database::{Database, Tuning, return_free_pages};
pub use failure::Failure;
pub use folder::Folder;
pub use migration::{Migration, migrate};
pub use readers::Readers;
