//! The whole program against a real PostgreSQL and a real Kafka.

mod completions;
mod decode;
mod duplicates;
mod exactly_once;
mod export;
mod faults;
#[expect(dead_code, reason = "some members are read by the decoders' own test alone")]
mod fixtures;
mod fixtures_on_servers;
mod hostile_corpus;
mod ingest;
mod migrate;
mod pager;
mod profiles;
mod query;
mod replay;
mod rows;
mod saga;
mod status;
mod story;
mod support;
mod tail;
mod terminal;
mod tls;
mod verify;
