//! Events with all that is known of them, found by an id of any kind.

pub(in crate::store) mod find_event;
pub(in crate::store) mod id_columns;
pub(in crate::store) mod id_events;
pub(in crate::store) mod stored_event;
