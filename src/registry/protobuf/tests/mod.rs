//! Messages made by hand, byte for byte, and the exact JSON that they become.

mod bytes;
mod hostile;
mod known_types;
mod properties;
mod schemas;
mod unknown_fields;
mod values;
mod wire_format;

use super::{ProtobufMessage, ProtobufSchema};
use crate::event::Reason;

/// A schema without imports of its own.
#[track_caller]
fn schema(text: &str) -> ProtobufSchema {
    ProtobufSchema::parse(text, &[]).expect("the schema is right")
}

/// What the first message of a schema becomes.
#[track_caller]
fn message(text: &str, bytes: &[u8]) -> ProtobufMessage {
    schema(text).read_message(None, bytes).expect("the message is right")
}

/// The JSON of the first message of a schema.
#[track_caller]
fn json(text: &str, bytes: &[u8]) -> String {
    message(text, bytes).json
}

/// Why the first message of a schema is refused.
#[track_caller]
fn refused(text: &str, bytes: &[u8]) -> (Reason, String) {
    let refused = schema(text).read_message(None, bytes).expect_err("the message is wrong");
    (refused.reason, refused.detail)
}
