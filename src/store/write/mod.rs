//! What is written: the schema, claims, batches, replays.

pub(in crate::store) mod adopt;
pub(in crate::store) mod batch;
pub(in crate::store) mod claims;
pub mod copy_buffer;
pub(in crate::store) mod event_counts;
pub(in crate::store) mod evidence;
pub(in crate::store) mod evidence_log;
pub(in crate::store) mod leaves;
mod ledger_entry;
pub(in crate::store) mod migrate;
pub(in crate::store) mod replays;
pub(in crate::store) mod retention;
pub mod row_root;
pub(in crate::store) mod writer;
