//! From a selection to a statement: what the selectors mean in this database, and the SQL for it.

mod batch_of_row;
pub(in crate::store) mod conditions;
pub(in crate::store) mod counted;
pub(in crate::store) mod distinct_values;
pub(in crate::store) mod event_column;
pub(in crate::store) mod event_query;
pub(in crate::store) mod event_row;
pub(in crate::store) mod first_delivery;
mod page_leaves;
pub(in crate::store) mod resolve;
pub(in crate::store) mod resolved;
pub(in crate::store) mod selected_column;
pub(in crate::store) mod stories;
pub(in crate::store) mod story_by;
pub(in crate::store) mod text_id;
pub(in crate::store) mod walk;
