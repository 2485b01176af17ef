//! The commands that read: what they show of rows, batches and damage.

mod duplicates;
mod export;
mod open_transactions;
mod query;
mod show_trace_stats;
mod status;
mod tail;
mod verify;
