//! Membership in the consumer group: polling, assignments, and the claims that come with them.

mod claim_check;
pub(in crate::ingest) mod claims;
pub(in crate::ingest) mod consumer;
mod consumer_error;
pub(in crate::ingest) mod group_context;
pub(in crate::ingest) mod rebalance;
pub(in crate::ingest) mod strangers;
