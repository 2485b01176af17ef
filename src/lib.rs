//! Records every Kafka event in PostgreSQL exactly once, and answers what happened.

pub mod dead_letter;
pub mod event;
