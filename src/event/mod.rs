//! An event, and the decoders that make one of a Kafka record. Pure: no clock, no network, no
//! database.
//!
//! A record passes through [`json::scan`] (one checked pass over the value), then through the
//! decoders in their order (`cloud_events`, `native`, `debezium`, `plain`), then through the rules
//! that all formats share (`columns`). What breaks a rule on the way becomes a quarantined event
//! with a [`Reason`].

mod decoder;
mod decoders;
mod envelope;
mod explain;
pub mod json;
mod mark;
mod record;
pub mod row;
pub(crate) mod topic;
mod topic_partition;

#[cfg(test)]
mod fixtures_test;
#[cfg(test)]
mod properties_test;

use std::borrow::Cow;

use uuid::Uuid;

use crate::time::UnixMicros;

pub use decoder::{Decoded, Decoder, Format, TOMBSTONE};
pub use explain::{COLUMN_NAMES, Column, Explanation, explain};
pub use mark::{Mark, UnknownMark};
pub use record::{Header, Record};
pub use row::column_source::{ColumnSource, ColumnSources, RecordPart};
pub use row::ids::{aggregate_uuid, correlation_uuid};
pub use row::quarantine::QUARANTINED;
pub use row::reason::Reason;
pub use topic_partition::TopicPartition;

/// What a record becomes: the columns of one row of `event_logs`, without those that ingest alone
/// knows (`id`, `partition_id`, `kafka_offset`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `event_id`.
    pub event_id: Uuid,
    /// `event_type`, at most 100 code points.
    pub event_type: Cow<'a, str>,
    /// `aggregate_id`.
    pub aggregate_id: Option<Uuid>,
    /// `source_service`, at most 100 code points.
    pub source_service: Option<Cow<'a, str>>,
    /// `is_dlt`: whether the topic is one of dead letters.
    pub is_dlt: bool,
    /// `payload`: JSON text that PostgreSQL's JSONB holds unchanged in meaning.
    pub payload: Cow<'a, str>,
    /// `created_at`.
    pub created_at: UnixMicros,
    /// `correlation_id`.
    pub correlation_id: Option<Uuid>,
    /// `attributes`: a JSON object as text.
    pub attributes: String,
}
