//! The formats that a record can have.

use std::fmt;

/// The formats that a record can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A null value.
    Tombstone,
    /// CloudEvents 1.0, the attributes in headers.
    CloudEventsBinary,
    /// CloudEvents 1.0, one object.
    CloudEventsStructured,
    /// The native envelope.
    Native,
    /// Debezium's outbox event router.
    DebeziumOutbox,
    /// A row of an outbox table, captured without the router.
    OutboxTable,
    /// Debezium's change envelope.
    DebeziumChange,
    /// Any other JSON.
    PlainJson,
    /// No format: the record is quarantined.
    Quarantined,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tombstone => "tombstone",
            Self::CloudEventsBinary => "CloudEvents, binary mode",
            Self::CloudEventsStructured => "CloudEvents, structured mode",
            Self::Native => "native envelope",
            Self::DebeziumOutbox => "Debezium outbox",
            Self::OutboxTable => "outbox table",
            Self::DebeziumChange => "Debezium change envelope",
            Self::PlainJson => "plain JSON",
            Self::Quarantined => "quarantined",
        })
    }
}
