//! Any bytes are a message of Protobuf or are refused, without a panic. What is read is JSON that
//! PostgreSQL can store, and what the library's own reader makes of the bytes, where it reads them.
//!
//! The first byte of an input says which schema, and whether indexes stand before the message.

#![no_main]
// The pure modules alone, so that neither librdkafka nor OpenSSL has to be built for it.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../src/event/mod.rs"]
mod event;
#[path = "../../src/registry"]
mod registry {
    mod json_writer;
    pub mod protobuf;
}
#[path = "../../src/time/mod.rs"]
mod time;

use std::sync::LazyLock;

use event::{Reason, json};
use libfuzzer_sys::fuzz_target;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use registry::protobuf::ProtobufSchema;
use serde_json::Value;

struct Schema {
    own: ProtobufSchema,
    library: MessageDescriptor,
}

static SCHEMAS: LazyLock<[Schema; 2]> = LazyLock::new(|| {
    [
        schema(include_str!("../../src/registry/protobuf/tests/rich.proto"), "rich.Rich"),
        schema(include_str!("../../src/registry/protobuf/tests/old.proto"), "old.Old"),
    ]
});

fn schema(text: &str, name: &str) -> Schema {
    let mut pool = DescriptorPool::global();
    let file = protox_parse::parse(name, text).expect("the schema is right");
    pool.add_file_descriptor_proto(file).expect("the schema is right");
    let library = pool.get_message_by_name(name).expect("the schema has it");
    Schema { own: ProtobufSchema::parse(text, &[]).expect("the schema is right"), library }
}

/// What the library makes of a message; nothing where it refuses it.
fn expected(schema: &Schema, bytes: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(schema.library.clone(), bytes).ok()?;
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(true)
        .use_proto_field_name(true)
        .skip_default_fields(true);
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut text);
    message.serialize_with_options(&mut serializer, &options).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whether something was read that has two forms: what is out of range, masks of fields that are
/// lost in camel case, zero with a sign, an Any whose type or bytes are others.
fn has_two_forms(json: &str) -> bool {
    ["\"seconds\":", "\"paths\":", "-0.0", "\"@type\":"].iter().any(|form| json.contains(form))
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let schema = &SCHEMAS[usize::from(choice & 1)];
    let read = match choice & 2 {
        0 => schema.own.read_message(None, bytes),
        _ => schema.own.read(bytes),
    };
    let Ok(read) = read else { return };
    if let Err(refusal) = json::scan(read.json.as_bytes()) {
        let allowed = [Reason::NulEscape, Reason::NestedTooDeep];
        assert!(allowed.contains(&refusal.reason), "{refusal:?}: {}", read.json);
    }
    // The library reads a map out of a field of any wire type; here that is an unknown field.
    if choice & 2 == 0
        && read.unknown_fields.is_empty()
        && !has_two_forms(&read.json)
        && let Some(expected) = expected(schema, bytes)
    {
        let found: Value = serde_json::from_str(&read.json).expect("it is JSON");
        assert_eq!(found, expected);
    }
});
