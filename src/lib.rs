//! Records every Kafka event in PostgreSQL exactly once, and answers what happened.
//!
//! docs/architecture.md has the map: which folder holds what, and which may import which.

#![warn(clippy::exit, clippy::print_stderr, clippy::print_stdout)]

pub mod analysis;
pub mod anchor;
pub mod cli;
mod count_text;
pub mod dead_letter;
pub mod event;
pub mod evidence;
pub mod export;
pub mod filter;
pub mod host;
pub mod ingest;
pub mod kafka;
pub mod ledger;
pub mod output;
pub mod registry;
pub mod replay;
pub mod store;
pub mod time;
pub mod value;
pub mod verification;
