//! What is read of the log of evidence: its head, its nodes, its leaves and its checkpoints, and
//! the rows of a batch in the form in which they are hashed.

pub(in crate::store) mod adoptable;
pub(in crate::store) mod batch_leaves;
pub(in crate::store) mod checkpoints;
pub(in crate::store) mod coverage;
pub(in crate::store) mod covered;
pub(in crate::store) mod log;
pub(in crate::store) mod log_name;
pub(in crate::store) mod nodes;
pub(in crate::store) mod proven_batch;
pub(in crate::store) mod recomputed;
pub(in crate::store) mod row_forms;
