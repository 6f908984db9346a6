//! Every command as a user runs it, against a running service.

mod days;
mod demo;
mod doctor;
mod export;
mod files;
mod ledger;
mod replay;
mod reports;
mod retention;
mod service;
mod trace;
