//! A walk through the events in some order: where it stands, and through which leaves it leads.

pub(in crate::store) mod cursor;
pub(in crate::store) mod leaves;
pub(in crate::store) mod row_order;
