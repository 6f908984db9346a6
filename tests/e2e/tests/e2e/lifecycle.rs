//! From the first start to the last: ready, refused with a sentence, drained, full, damaged.

mod damage;
mod drain;
mod full_disk;
mod old_log;
mod refusals;
mod spill;
