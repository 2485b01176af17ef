//! Records every Kafka event in PostgreSQL exactly once, and answers what happened.

pub mod cli;
pub mod dead_letter;
pub mod event;
pub mod filter;
pub mod host;
pub mod ingest;
pub mod kafka;
pub mod ledger;
pub mod output;
pub mod replay;
pub mod store;
pub mod time;
pub mod value;
