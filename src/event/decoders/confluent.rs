//! Confluent's wire format: a byte 0, the schema's id as four bytes (big-endian), then the data.
//! Only JSON Schema's data can be read without the registry: it is JSON.

use crate::event::Reason;
use crate::event::envelope::Problem;
use crate::event::json;
use crate::event::wrapping::{header_and_data, json_after_header};

/// The JSON of a value in wire format; any other value as it is.
pub(in crate::event) fn strip_json(value: &[u8]) -> &[u8] {
    json_after_header(value).map_or(value, |(_, rest)| rest)
}

/// Whether the value is in wire format, and what can be read of it.
pub(in crate::event) enum Wire<'a> {
    /// The value is not in wire format.
    No,
    /// Text that may be JSON follows the id of a JSON Schema.
    Json { schema_id: u32, json: &'a [u8] },
    /// Only the schema makes it readable.
    Opaque(Problem),
}

/// Recognises the wire format.
pub(in crate::event) fn wire(value: &[u8]) -> Wire<'_> {
    let Some((schema_id, _)) = header_and_data(value) else {
        return Wire::No;
    };
    match json_after_header(value) {
        Some((schema_id, json)) => Wire::Json { schema_id, json },
        None => Wire::Opaque(needs_registry(schema_id)),
    }
}

/// The problem of a value whose schema stands in a registry.
pub(in crate::event) fn needs_registry(schema_id: u32) -> Problem {
    let reason = Reason::SchemaRegistry;
    let detail = format!("{}: schema id {schema_id}", reason.describe());
    Problem { reason, detail, schema_id: Some(schema_id) }
}

/// What is wrong with data that begins like JSON and was refused: what JSONB cannot hold is said as
/// such, and what is not JSON at all is Avro or Protobuf that looked like it.
pub(in crate::event) fn refused(refusal: json::Refusal, schema_id: u32) -> Problem {
    match refusal.reason {
        Reason::NulEscape
        | Reason::LoneSurrogate
        | Reason::NumberOutOfRange
        | Reason::NestedTooDeep
        | Reason::TooLarge => Problem { schema_id: Some(schema_id), ..refusal.into() },
        _ => needs_registry(schema_id),
    }
}
