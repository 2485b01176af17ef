//! From records to rows: `audit ingest`, what it makes of each record, and what it survives.

mod clients;
mod counted_after_kills;
mod counts;
mod decode;
mod edges;
mod exactly_once;
mod faults;
mod fixtures_on_servers;
mod hostile_corpus;
mod incarnations;
mod metrics;
mod refused;
mod refused_clients;
