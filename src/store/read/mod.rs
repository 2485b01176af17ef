//! What is read: one function for each query.

pub(in crate::store) mod analysis;
pub(in crate::store) mod bounds;
pub(in crate::store) mod commit_order;
pub(in crate::store) mod counts;
pub(in crate::store) mod dead_letters;
pub(in crate::store) mod events;
pub(in crate::store) mod evidence;
pub(in crate::store) mod first_deliveries;
pub(in crate::store) mod known_values;
pub(in crate::store) mod lacking_schemas;
pub(in crate::store) mod leaves;
pub(in crate::store) mod migration_progress;
pub(in crate::store) mod partitions;
pub(in crate::store) mod replay_candidates;
pub(in crate::store) mod replays;
pub(in crate::store) mod retirements;
pub(in crate::store) mod status;
pub(in crate::store) mod verification;
