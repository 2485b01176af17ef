//! Why a record is quarantined: a fixed list, one name each, documented with examples in
//! docs/quarantine.md.

use std::fmt;

/// Why a record could not become a normal row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The value has no bytes. A null value is a tombstone instead.
    Empty,
    /// The value starts with the UTF-8 byte order mark, which JSON forbids.
    ByteOrderMark,
    /// The value is UTF-16 text.
    Utf16,
    /// The value is not valid UTF-8.
    InvalidUtf8,
    /// The JSON ends in the middle.
    TruncatedJson,
    /// Something follows the JSON value.
    TrailingData,
    /// A control character stands unescaped in a JSON text.
    ControlCharacter,
    /// The value is not JSON for any other reason (`NaN`, `{'a':1}`, a comma too many, plain text).
    InvalidJson,
    /// The JSON holds `\u0000`, which PostgreSQL cannot store in text.
    NulEscape,
    /// The JSON holds half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// A number has more digits than PostgreSQL's numeric can hold.
    NumberOutOfRange,
    /// The payload is nested more than 1,000 levels deep.
    NestedTooDeep,
    /// The value, or its base64, passes what JSONB can hold (256 MiB). The payload then keeps sizes
    /// instead of bytes.
    TooLarge,
    /// The envelope has no event type.
    EventTypeMissing,
    /// The event type is an empty text.
    EventTypeEmpty,
    /// The event type is a number, an object or anything else that is not text.
    EventTypeNotText,
    /// The event type has more than 100 characters.
    EventTypeTooLong,
    /// The event type begins with `audit.`, which only the audit itself uses.
    EventTypeReserved,
    /// The source service has more than 100 characters.
    SourceServiceTooLong,
    /// A text for a column holds the character NUL, which PostgreSQL cannot store.
    NulCharacter,
    /// The record announces an envelope, and its value is not a JSON object.
    NotAnObject,
    /// Several CloudEvents in one record: one record is one row.
    Batched,
    /// The value needs a schema from a registry (Confluent wire format) to be read.
    SchemaRegistry,
    /// The registry does not know the schema that the value names.
    UnknownSchema,
    /// The schema itself cannot be read.
    SchemaInvalid,
    /// The value's bytes are not what its schema describes.
    SchemaMismatch,
    /// PostgreSQL alone refused the row; the detail holds its SQLSTATE.
    RefusedByDatabase,
}

impl Reason {
    /// All reasons, in the order of docs/quarantine.md.
    pub const ALL: [Self; 27] = [
        Self::Empty,
        Self::ByteOrderMark,
        Self::Utf16,
        Self::InvalidUtf8,
        Self::TruncatedJson,
        Self::TrailingData,
        Self::ControlCharacter,
        Self::InvalidJson,
        Self::NulEscape,
        Self::LoneSurrogate,
        Self::NumberOutOfRange,
        Self::NestedTooDeep,
        Self::TooLarge,
        Self::EventTypeMissing,
        Self::EventTypeEmpty,
        Self::EventTypeNotText,
        Self::EventTypeTooLong,
        Self::EventTypeReserved,
        Self::SourceServiceTooLong,
        Self::NulCharacter,
        Self::NotAnObject,
        Self::Batched,
        Self::SchemaRegistry,
        Self::UnknownSchema,
        Self::SchemaInvalid,
        Self::SchemaMismatch,
        Self::RefusedByDatabase,
    ];

    /// The name that stands in the payload's `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Utf16 => "utf16",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TruncatedJson => "truncated_json",
            Self::TrailingData => "trailing_data",
            Self::ControlCharacter => "control_character",
            Self::InvalidJson => "invalid_json",
            Self::NulEscape => "nul_escape",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::NestedTooDeep => "nested_too_deep",
            Self::TooLarge => "too_large",
            Self::EventTypeMissing => "event_type_missing",
            Self::EventTypeEmpty => "event_type_empty",
            Self::EventTypeNotText => "event_type_not_text",
            Self::EventTypeTooLong => "event_type_too_long",
            Self::EventTypeReserved => "event_type_reserved",
            Self::SourceServiceTooLong => "source_service_too_long",
            Self::NulCharacter => "nul_character",
            Self::NotAnObject => "not_an_object",
            Self::Batched => "batched",
            Self::SchemaRegistry => "schema_registry",
            Self::UnknownSchema => "unknown_schema",
            Self::SchemaInvalid => "schema_invalid",
            Self::SchemaMismatch => "schema_mismatch",
            Self::RefusedByDatabase => "refused_by_database",
        }
    }

    /// The reason in words, as a lowercase fragment.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Empty => "the value has no bytes",
            Self::ByteOrderMark => "the value starts with a byte order mark",
            Self::Utf16 => "the value is UTF-16, not UTF-8",
            Self::InvalidUtf8 => "the value is not valid UTF-8",
            Self::TruncatedJson => "the JSON ends in the middle",
            Self::TrailingData => "something follows the JSON value",
            Self::ControlCharacter => "a control character stands unescaped in a text",
            Self::InvalidJson => "the value is not JSON",
            Self::NulEscape => "a text holds \\u0000, which PostgreSQL cannot store",
            Self::LoneSurrogate => "a text holds half of a surrogate pair",
            Self::NumberOutOfRange => "a number has more digits than PostgreSQL's numeric holds",
            Self::NestedTooDeep => "the payload is nested more than 1,000 levels deep",
            Self::TooLarge => "the record is larger than JSONB can hold",
            Self::EventTypeMissing => "the envelope has no event type",
            Self::EventTypeEmpty => "the event type is empty",
            Self::EventTypeNotText => "the event type is not text",
            Self::EventTypeTooLong => "the event type has more than 100 characters",
            Self::EventTypeReserved => "the event type begins with the reserved 'audit.'",
            Self::SourceServiceTooLong => "the source service has more than 100 characters",
            Self::NulCharacter => "a text holds the character NUL, which PostgreSQL cannot store",
            Self::NotAnObject => "the envelope is not a JSON object",
            Self::Batched => "the record holds a batch of CloudEvents",
            Self::SchemaRegistry => "the value needs a schema from a registry",
            Self::UnknownSchema => "the registry does not know the value's schema",
            Self::SchemaInvalid => "the value's schema cannot be read",
            Self::SchemaMismatch => "the value is not what its schema describes",
            Self::RefusedByDatabase => "PostgreSQL refused the row",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
