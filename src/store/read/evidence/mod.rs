//! The log of the evidence, and what its leaves are made of.

pub(in crate::store) mod batch_leaves;
