//! Joins Kafka and PostgreSQL: every record becomes exactly one row.
//!
//! The way of a record: `consumer` polls it, `batcher` copies it into the open batch of its
//! partition's lane, `encoder` decodes the records of a batch and encodes their rows (a thread for
//! each lane), `writer` copies them into PostgreSQL (a task for each lane); `in_flight` bounds what
//! is between the first and the last. Rows that PostgreSQL refuses go through `triage`.
//!
//! PostgreSQL alone decides which offsets are recorded. `rebalance` follows the assignments of the
//! group, `claims` gets the right to write, and a batch commits only under the claim's epoch. After
//! any fault `session` ends, and `run` begins the next one, which claims again and reads from what
//! is recorded.

mod batcher;
mod claim_check;
mod claims;
mod consumer;
mod consumer_error;
mod context;
mod counters;
mod database;
mod encoder;
mod error;
mod event_rows;
#[cfg(test)]
mod fake_database;
mod fault;
mod group_context;
mod in_flight;
mod ingester_name;
mod lag;
mod lock;
mod open_batch;
mod rebalance;
mod recorded_offsets;
mod run;
mod session;
mod settings;
mod stop;
#[cfg(test)]
mod test_batch;
mod triage;
mod until_end;
mod writer;

pub use counters::Counters;
pub use error::Error;
pub use event_rows::{write_dead_letter, write_event};
pub use run::run;
pub use settings::IngestSettings;
pub use stop::Stop;
