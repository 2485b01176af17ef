//! What is written: the schema, claims, batches, replays.

pub(in crate::store) mod batch;
pub mod copy_buffer;
pub(in crate::store) mod migrate;
pub(in crate::store) mod partitions;
pub(in crate::store) mod replays;
