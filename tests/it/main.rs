//! The whole program against a real PostgreSQL and a real Kafka.

mod exactly_once;
mod faults;
mod ingest;
mod migrate;
mod support;
