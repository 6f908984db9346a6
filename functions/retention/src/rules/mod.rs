//! Each rule by itself. All of them may be applied again, and go on where they were cut off.

mod events;
mod fresh;
mod inbox;
mod lake;
mod loads;
mod quarantine;
mod raw;
mod remover;
mod replays;
mod split;
mod tagged;
mod topics;
