//! The canonical form of a record of Kafka.

use super::tuple::Tuple;
use crate::event::Record;

/// Whose clock a record's timestamp comes from. The numbers are those of Kafka's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The record has none.
    #[default]
    None = -1,
    /// The producer's.
    Create = 0,
    /// The broker's.
    Append = 1,
}

/// Writes the canonical form of a record behind what `bytes` holds.
pub fn write_record(bytes: &mut Vec<u8>, record: &Record<'_>, timestamp_type: TimestampType) {
    let mut tuple = Tuple::begin(bytes, 7);
    tuple.text(Some(record.topic));
    tuple.integer(Some(record.partition));
    tuple.bigint(Some(record.offset));
    tuple.integer(Some(timestamp_type as i32));
    tuple.bigint(record.timestamp_ms);
    tuple.bytes(record.key);
    tuple.bytes(record.value);
    bytes.extend_from_slice(&(record.headers.len() as u32).to_be_bytes());
    for header in record.headers {
        let mut fields = Tuple::go_on(bytes);
        fields.bytes(Some(header.name));
        fields.bytes(header.value);
    }
}
