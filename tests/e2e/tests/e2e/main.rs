//! The real binary, driven from outside: a module for each thing that a user relies on.

mod clicks;
mod commands;
mod disk;
mod engines;
mod erasure;
mod files;
mod hostile;
mod import;
mod kill;
mod lifecycle;
mod page_data;
mod secrets;
mod servers;
mod sites;
