//! The whole program against a real PostgreSQL and a real Kafka.

mod database;
#[expect(dead_code, reason = "some members are read by the decoders' own test alone")]
mod fixtures;
mod ingest;
mod profiles;
mod read;
mod replay;
mod saga;
mod support;
mod terminal;
