//! What selectors mean in one database: globs become the values that exist, topics become
//! partitions, times of recording become ids. The statement that follows then searches indexes by
//! exact values, and its plan is made for them.

mod cardinality;
mod dead_letter_errors;
pub(in crate::store) mod identifiers;
pub(in crate::store) mod names;
mod recorded_time;
pub(in crate::store) mod selection;
