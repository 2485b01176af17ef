//! What is read: one function for each query.

pub(in crate::store) mod batches;
pub(in crate::store) mod counts;
pub(in crate::store) mod dead_letters;
pub(in crate::store) mod events;
pub(in crate::store) mod ledger_scan;
pub(in crate::store) mod status;
