//! The one form in which a value is hashed: it depends on what a value is, and not on how Kafka,
//! JSON or PostgreSQL happen to write it. Source: `docs/evidence.md`, "Canonical form".

mod json;
mod json_number;
mod json_text;
mod record;
mod row;
mod tuple;

#[cfg(test)]
mod json_tests;

pub use json::Canonicalizer;
pub use record::{TimestampType, write_record};
pub use row::{DEAD_LETTER_COLUMNS, EVENT_COLUMNS, RowForm};
pub use tuple::Tuple;
pub(in crate::evidence) use tuple::TupleReader;

/// Why a value has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// It is not JSON.
    #[error("the JSON is broken at byte {0}")]
    Json(usize),
    /// A number has an exponent beyond what PostgreSQL can hold.
    #[error("a number of the JSON has an exponent out of range")]
    Exponent,
    /// The bytes are not the tuple that COPY writes for a row of the table.
    #[error("the row does not have the form of its table")]
    Tuple,
    /// A time lies so far away that its microseconds since 1970 are no int8.
    #[error("a time of the row is out of range")]
    Time,
}
