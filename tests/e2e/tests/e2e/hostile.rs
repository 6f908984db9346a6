//! Requests that are wrong, meant to hurt, or of strangers: each is told what is wrong, and the service goes on.

mod bodies;
mod connections;
mod problem;
mod strangers;
mod values;
mod wire;
