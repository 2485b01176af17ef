//! The commands that read: what they show of rows, batches and damage.

mod duplicates;
mod export;
mod query;
mod status;
mod story;
mod tail;
mod verify;
