//! What is written: the schema, claims, batches, replays.

pub(in crate::store) mod adopt;
pub(in crate::store) mod batch;
pub(in crate::store) mod claims;
pub mod copy_buffer;
pub(in crate::store) mod event_counts;
mod evidence_log;
pub(in crate::store) mod leaves;
pub(in crate::store) mod migrate;
pub(in crate::store) mod replays;
