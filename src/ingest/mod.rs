//! Joins Kafka and PostgreSQL: every record becomes exactly one row.
//!
//! The way of a record: `group::consumer` polls it, `batching::batcher` copies it into the open
//! batch of its partition's lane, `batching::encoder` decodes the records of a batch and encodes
//! their rows (a thread for each lane), `writing::writer` copies them into PostgreSQL (a task for
//! each lane); `in_flight` bounds what is between the first and the last. Rows that PostgreSQL
//! refuses go through `writing::triage`. What is done to the database beside that is
//! `maintenance`; `anchoring` signs checkpoints, and `metrics` tells monitoring how it goes.
//!
//! PostgreSQL alone decides which offsets are recorded. `group::rebalance` follows the assignments
//! of the group, `group::claims` gets the right to write, and a batch commits only under the
//! claim's epoch. After any fault `session` ends, and `run` begins the next one, which claims again
//! and reads from what is recorded.

mod anchoring;
mod batching;
mod context;
mod counters;
mod error;
mod fault;
mod group;
mod in_flight;
mod ingester_name;
mod maintenance;
mod metrics;
mod mutex;
mod recorded_offsets;
mod run;
mod session;
mod settings;
mod stop;
mod until_end;
mod writer_count;
mod writing;

pub use batching::event_rows::{write_dead_letter, write_event};
pub use counters::Counters;
pub use error::Error;
pub use maintenance::maintain;
pub use run::run;
pub use settings::{AnchorSettings, IngestSettings, ListenAddress};
pub use stop::Stop;
