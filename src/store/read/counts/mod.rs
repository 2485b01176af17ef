//! Counts of events by what they have in common: from `event_counts` where it knows them, else from
//! the rows.

pub(in crate::store) mod figure;
pub(in crate::store) mod group_names;
pub(in crate::store) mod grouping;
pub(in crate::store) mod groups;
pub(in crate::store) mod over_time;
mod source;
mod spans;
pub(in crate::store) mod state;

#[cfg(test)]
mod tests;
