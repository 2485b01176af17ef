//! Where each column of an event came from.

use std::fmt;

/// A place in a record, or a rule that stands in where the record says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnOrigin {
    /// Nowhere: the column is null.
    #[default]
    Nowhere,
    /// A member of the envelope.
    Member(&'static str),
    /// A header.
    Header(&'static str),
    /// The name of the value's schema.
    Schema,
    /// The members that are not the envelope's.
    OtherMembers,
    /// The record's key.
    Key,
    /// The record's whole value.
    Value,
    /// The topic's name.
    Topic,
    /// Cluster, topic, partition and offset.
    Coordinates,
    /// Kafka's timestamp.
    KafkaTimestamp,
    /// The clock at the time of decoding.
    Clock,
    /// A rule of the audit, where no part of the record decides.
    Rule,
}

/// Where a column came from, and what was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnSource {
    /// Where it stood.
    pub origin: ColumnOrigin,
    /// What was done to it on the way, where it did not stay as it was.
    pub note: Option<&'static str>,
}

impl ColumnSource {
    pub(in crate::event) fn of(origin: ColumnOrigin) -> Self {
        Self { origin, note: None }
    }

    pub(in crate::event) fn noted(origin: ColumnOrigin, note: &'static str) -> Self {
        Self { origin, note: Some(note) }
    }
}

/// Where each column of an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnSources {
    /// Of `event_id`.
    pub event_id: ColumnSource,
    /// Of `event_type`.
    pub event_type: ColumnSource,
    /// Of `aggregate_id`.
    pub aggregate_id: ColumnSource,
    /// Of `source_service`.
    pub source_service: ColumnSource,
    /// Of `payload`.
    pub payload: ColumnSource,
    /// Of `created_at`.
    pub created_at: ColumnSource,
    /// Of `correlation_id`.
    pub correlation_id: ColumnSource,
}

impl fmt::Display for ColumnOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => formatter.write_str("nowhere"),
            Self::Member(name) => write!(formatter, "member {name}"),
            Self::Header(name) => write!(formatter, "header {name}"),
            Self::Schema => formatter.write_str("the name of its schema"),
            Self::OtherMembers => formatter.write_str("the members that are not the envelope's"),
            Self::Key => formatter.write_str("the key"),
            Self::Value => formatter.write_str("the whole value"),
            Self::Topic => formatter.write_str("the topic's name"),
            Self::Coordinates => formatter.write_str("cluster, topic, partition and offset"),
            Self::KafkaTimestamp => formatter.write_str("Kafka's timestamp"),
            Self::Clock => formatter.write_str("the clock"),
            Self::Rule => formatter.write_str("a rule of the audit"),
        }
    }
}

impl fmt::Display for ColumnSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.note {
            Some(note) => write!(formatter, "{} ({note})", self.origin),
            None => self.origin.fmt(formatter),
        }
    }
}
