//! Records every Kafka event in PostgreSQL exactly once, and answers what happened.

pub mod cli;
pub mod event;
pub mod filter;
pub mod output;
pub mod store;
