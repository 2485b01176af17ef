//! What analysis reads.

pub(in crate::store) mod repeated;
pub(in crate::store) mod stories;
pub(in crate::store) mod story_ids;
pub(in crate::store) mod unended;
pub(in crate::store) mod usual;
