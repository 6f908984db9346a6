//! reconcile: the ledger of what every step has, and the repair of what is missing.
