//! An event, and the decoders that make one of a Kafka record. Pure: no clock, no network, no
//! database.
//!
//! A record passes through [`json::scan`] (one checked pass over the value), then through the
//! decoders in their order (`cloud_events`, `native`, `debezium`, `plain`), then through the rules
//! that all formats share (`row`). What breaks a rule on the way becomes a quarantined event
//! with a [`Reason`].

mod column_source;
mod decoder;
mod decoders;
mod envelope;
mod explain;
mod format;
pub mod json;
mod mark;
mod reason;
mod record;
pub mod row;
pub(crate) mod topic;
mod topic_partition;
mod unpacked;
mod wrapping;

#[cfg(test)]
mod fixtures_test;
#[cfg(test)]
mod properties_test;

pub use column_source::{ColumnOrigin, ColumnSource, ColumnSources};
pub use decoder::{Decoded, Decoder, TOMBSTONE};
pub use explain::{COLUMN_NAMES, Column, Explanation, explain};
pub use format::Format;
pub use mark::{Mark, UnknownMark};
pub use reason::Reason;
pub use record::{Header, Record};
pub use row::Event;
pub use row::ids::{aggregate_uuid, correlation_uuid, text_of_id};
pub use row::quarantine::QUARANTINED;
pub use row::refused::QuarantineForm;
pub use topic_partition::{RecordPosition, TopicPartition};
pub use unpacked::{RecordSchema, SchemaType, Unpacked, UnpackedKey, UnpackedValue, Unreadable};
pub(crate) use wrapping::{LogicalType, carried, decimal_number, header_and_data};
