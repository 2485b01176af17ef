//! The whole program against a real PostgreSQL and a real Kafka.

mod analysis;
mod anchoring;
mod database;
mod evidence;
mod examples;
mod handover;
mod ingest;
mod leaves;
mod profiles;
mod read;
mod real_clients;
mod registry;
mod replay;
mod saga;
mod support;
mod terminal;
mod verification;
