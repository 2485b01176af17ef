//! The canonical form of a row, made of the tuples that binary COPY writes for it: of the very
//! bytes that the ingester sends, and of those that PostgreSQL gives back.

use super::CanonicalError;
use super::json::Canonicalizer;
use super::tuple::{Tuple, TupleReader};
use crate::time::PostgresMicros;

/// How the field of a column is made canonical.
#[derive(Clone, Copy)]
enum Kind {
    /// As it is.
    Plain,
    /// A timestamp, with or without time zone.
    Time,
    /// JSONB: a byte for the version, then the text.
    Json,
}
use Kind::{Json, Plain, Time};

/// The columns of `event_logs`, in the order of the table.
pub const EVENT_COLUMNS: [&str; 12] = [
    "id",
    "event_id",
    "event_type",
    "aggregate_id",
    "source_service",
    "is_dlt",
    "payload",
    "created_at",
    "partition_id",
    "kafka_offset",
    "correlation_id",
    "attributes",
];

/// The columns of `dead_letters`, in the order of the table.
pub const DEAD_LETTER_COLUMNS: [&str; 16] = [
    "event_log_id",
    "key",
    "value",
    "headers",
    "origin_topic",
    "origin_source",
    "origin_partition",
    "origin_offset",
    "origin_timestamp",
    "consumer_group",
    "exception_class",
    "exception_message",
    "stack_trace",
    "attempts",
    "replay_id",
    "replay_attempt",
];

const EVENT: [Kind; EVENT_COLUMNS.len()] =
    [Plain, Plain, Plain, Plain, Plain, Plain, Json, Time, Plain, Plain, Plain, Json];
const DEAD_LETTER: [Kind; DEAD_LETTER_COLUMNS.len()] = [
    Plain, Plain, Plain, Json, Plain, Plain, Plain, Plain, Time, Plain, Plain, Plain, Plain, Plain,
    Plain, Plain,
];

/// The version of the binary form of JSONB.
const JSONB_VERSION: u8 = 1;

/// Makes rows canonical, one after the other, in memory that is used again.
#[derive(Debug, Default)]
pub struct RowForm {
    bytes: Vec<u8>,
    json: Canonicalizer,
}

impl RowForm {
    /// The canonical form of a row: of the tuple of its line in `event_logs`, and of that in
    /// `dead_letters`, where it has one.
    ///
    /// # Errors
    /// [`CanonicalError`].
    pub fn of(
        &mut self,
        event: &[u8],
        dead_letter: Option<&[u8]>,
    ) -> Result<&[u8], CanonicalError> {
        self.bytes.clear();
        self.write(event, &EVENT)?;
        match dead_letter {
            Some(dead_letter) => self.write(dead_letter, &DEAD_LETTER)?,
            None => drop(Tuple::begin(&mut self.bytes, 0)),
        }
        Ok(&self.bytes)
    }

    fn write(&mut self, tuple: &[u8], kinds: &[Kind]) -> Result<(), CanonicalError> {
        let mut fields = TupleReader::begin(tuple, kinds.len() as u16)?;
        Tuple::begin(&mut self.bytes, kinds.len() as u16);
        for kind in kinds {
            let field = fields.field()?;
            match (kind, field) {
                (Time, Some(time)) => {
                    let micros = time.try_into().map_err(|_| CanonicalError::Tuple)?;
                    let time = PostgresMicros(i64::from_be_bytes(micros));
                    Tuple::go_on(&mut self.bytes).time(Some(time))?;
                }
                (Json, Some(json)) => {
                    let Some((&JSONB_VERSION, json)) = json.split_first() else {
                        return Err(CanonicalError::Tuple);
                    };
                    self.json_field(json)?;
                }
                (_, field) => Tuple::go_on(&mut self.bytes).bytes(field),
            }
        }
        fields.end()
    }

    fn json_field(&mut self, json: &[u8]) -> Result<(), CanonicalError> {
        let length_at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.json.write(json, &mut self.bytes)?;
        let length = (self.bytes.len() - length_at - 4) as u32;
        self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}
