//! What the events look like on a topic: JSON, or Avro or Protobuf behind a schema registry. The
//! services talk to each other whatever each of them writes.

mod avro;
mod protobuf;
mod reader;
mod registry;
mod schemas;
mod writer;

use clap::ValueEnum;

pub use reader::EventReader;
pub use registry::{Registry, RegistryError};
pub use schemas::EventSchemas;
pub(crate) use writer::EventWriter;

/// What a service writes the values of its records in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// JSON in snake case.
    #[default]
    Json,
    /// Avro, with the schema's id before it.
    Avro,
    /// Protobuf, with the schema's id and the message's index before it.
    Protobuf,
}

/// An event or a value does not fit the schema that is to describe it.
#[derive(Debug, thiserror::Error)]
#[error("{schema}: {reason}")]
pub struct DoesNotFit {
    /// The full name of the record or message.
    pub schema: &'static str,
    /// What does not fit.
    pub reason: String,
}
