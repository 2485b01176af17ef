//! What analysis reads.

pub(in crate::store) mod stories;
pub(in crate::store) mod story_ids;
