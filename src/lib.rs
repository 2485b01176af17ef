//! Records every Kafka event in PostgreSQL exactly once, and answers what happened.

pub mod event;
