//! What is written into the log of evidence beside the batches: checkpoints, adopted batches, and
//! the beginning of another log.

pub(in crate::store) mod adopt_batches;
pub(in crate::store) mod begin_anew;
pub(in crate::store) mod keep_checkpoint;
