//! Reads records outside of any consumer group.

mod assigned_consumer;
pub(super) mod find_by_header;
pub(super) mod find_in_ranges;
pub(super) mod first_timestamps;
pub(super) mod record_hashes;
pub(super) mod values_of_key;
