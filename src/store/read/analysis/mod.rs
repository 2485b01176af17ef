//! What analysis reads.

pub(in crate::store) mod stories;
