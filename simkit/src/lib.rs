//! What the simulated services share, and what a service that publishes and consumes events needs:
//!
//! - [`outbox`]: an event is written in the transaction of the change it tells of, and published
//!   afterwards.
//! - [`consumer`]: an event has its effect once, however often it is delivered; retries; then the
//!   dead-letter topic.
//! - [`format`](mod@format): JSON, Avro or Protobuf on the topics, and a schema registry.
//! - [`faults`]: failures on demand, decided by a seed.
//! - [`service`]: starts these, and stops them in the right order; [`program`]: what stands around
//!   it in `main`.
//!
//! The services share this code and nothing else: no database, no state, only events.

pub mod amount;
pub mod args;
pub mod consumer;
pub mod database;
pub mod dead_letter;
pub mod event;
pub mod failure;
pub mod faults;
pub mod format;
pub mod kafka;
pub mod outbox;
pub mod program;
pub mod service;
mod stop;
pub mod totals;

pub use amount::Amount;
pub use consumer::Handler;
pub use deadpool_postgres::{Pool, Transaction};
pub use event::{Event, NewEvent};
pub use failure::Failure;
pub use faults::Faults;
pub use format::{EventReader, EventSchemas};
pub use service::{Definition, Service};
