//! erase: a person out of every store, with a receipt; and a copy of what is held of them.
