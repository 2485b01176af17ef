//! What analysis reads.

pub(in crate::store) mod repeated;
pub(in crate::store) mod stated_stories;
pub(in crate::store) mod stories;
pub(in crate::store) mod story_amounts;
pub(in crate::store) mod story_ids;
pub(in crate::store) mod unended;
pub(in crate::store) mod usual;
