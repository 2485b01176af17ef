//! The whole program against a real PostgreSQL and a real Kafka.

mod exactly_once;
mod export;
mod faults;
mod ingest;
mod migrate;
mod query;
mod replay;
mod rows;
mod support;
mod tail;
mod verify;
