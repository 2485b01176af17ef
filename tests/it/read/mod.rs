//! The commands that read: what they show of rows, batches and damage.

mod columns;
mod consumers;
mod duplicates;
mod exit_codes;
mod export;
mod lists;
mod ocel;
mod open_transactions;
mod query;
mod show_ids;
mod show_trace_stats;
mod stats;
mod status;
mod tail;
mod verify;
