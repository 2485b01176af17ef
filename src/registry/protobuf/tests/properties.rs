//! Random messages, compared with the reader that the library has, and bytes that are anything.

use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    SerializeOptions, Value,
};

use super::super::schema::descriptors;
use super::{ProtobufSchema, schema};
use crate::event::{Reason, json};

const RICH: &str = include_str!("rich.proto");
const OLD: &str = include_str!("old.proto");

/// A source of choices.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // xorshift64*, of Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// A number of any size, the ends of their ranges among them.
    fn number(&mut self) -> u64 {
        let shift = self.below(64);
        let edge = self.one_of(&[0, 1, u64::MAX, 1 << 31, 1 << 63, (1 << 31) - 1]);
        if self.below(4) == 0 { edge } else { self.next() >> shift }
    }

    fn text(&mut self) -> String {
        self.one_of(&["", "a", "Grüße", "\"\\\n", "日本", "<>&\u{7f}", "0"]).to_owned()
    }

    fn double(&mut self) -> f64 {
        self.one_of(&[0.0, 1.5, -0.1, 1e300, 5e-324, f64::MAX, 123_456_789.125, 1e21])
    }
}

fn message(descriptor: &MessageDescriptor, dice: &mut Dice, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let number = |number: i64| Value::I64(number);
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            let span = 253_402_300_799 + 62_135_596_800;
            let seconds = dice.below(span) as i64 - 62_135_596_800;
            message.set_field_by_number(1, number(seconds));
            message.set_field_by_number(2, Value::I32(nanos(dice)));
        }
        "google.protobuf.Duration" => {
            let sign = dice.one_of(&[1, -1]);
            let seconds = dice.below(315_576_000_001) as i64;
            message.set_field_by_number(1, number(seconds * i64::from(sign)));
            message.set_field_by_number(2, Value::I32(nanos(dice) * sign));
        }
        "google.protobuf.FieldMask" => {
            let paths = (0..dice.below(3)).map(|_| dice.one_of(&["a", "a_b.c", "long_name_here"]));
            let paths = paths.map(|path| Value::String(path.to_owned())).collect();
            message.set_field_by_number(1, Value::List(paths));
        }
        "google.protobuf.Any" => {
            let pool = descriptor.parent_pool();
            let names = ["rich.Rich", "google.protobuf.Duration", "google.protobuf.Empty"];
            let name = dice.one_of(&names);
            let inner = pool.get_message_by_name(name).expect("it is in the pool");
            let inner = self::message(&inner, dice, depth + 3).encode_to_vec();
            message.set_field_by_number(1, Value::String(format!("type.example.com/{name}")));
            message.set_field_by_number(2, Value::Bytes(inner.into()));
        }
        _ => {
            let likely = 8 + 8 * u64::from(depth);
            for field in descriptor.fields() {
                if dice.below(likely) < 4 && (depth < 4 || field.kind().as_message().is_none()) {
                    let value = field_value(&field, dice, depth);
                    message.set_field(&field, value);
                }
            }
            for extension in descriptor.extensions() {
                if dice.below(likely) < 4 && depth < 4 {
                    let value = || value(&extension.kind(), dice, depth);
                    let value = if extension.is_list() {
                        Value::List(std::iter::repeat_with(value).take(2).collect())
                    } else {
                        std::iter::once_with(value).next().expect("one")
                    };
                    message.set_extension(&extension, value);
                }
            }
        }
    }
    message
}

fn nanos(dice: &mut Dice) -> i32 {
    let unit = dice.one_of(&[0, 1, 1_000, 1_000_000]);
    (dice.below(999) + 1) as i32 * unit
}

fn field_value(field: &FieldDescriptor, dice: &mut Dice, depth: u32) -> Value {
    let count = dice.below(4);
    if field.is_map() {
        let kind = field.kind();
        let entry = kind.as_message().expect("a map has entries");
        let (key, of) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let entries = (0..count).map(|_| (map_key(&key, dice), value(&of, dice, depth)));
        Value::Map(entries.collect())
    } else if field.is_list() {
        Value::List((0..count).map(|_| value(&field.kind(), dice, depth)).collect())
    } else {
        value(&field.kind(), dice, depth)
    }
}

fn map_key(kind: &Kind, dice: &mut Dice) -> MapKey {
    match kind {
        Kind::String => MapKey::String(dice.text()),
        Kind::Bool => MapKey::Bool(dice.below(2) == 0),
        Kind::Fixed64 => MapKey::U64(dice.number()),
        _ => MapKey::I32(dice.number() as i32),
    }
}

fn value(kind: &Kind, dice: &mut Dice, depth: u32) -> Value {
    match kind {
        Kind::Double => Value::F64(dice.double()),
        Kind::Float => Value::F32(dice.one_of(&[0.0, 0.1, -3.5, 1e-45, f32::MAX, 16_777_216.0])),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(dice.number() as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(dice.number() as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(dice.number() as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(dice.number()),
        Kind::Bool => Value::Bool(dice.below(2) == 0),
        Kind::String => Value::String(dice.text()),
        Kind::Bytes => {
            Value::Bytes(dice.number().to_le_bytes()[..dice.below(9) as usize].to_vec().into())
        }
        Kind::Enum(of) if of.full_name() == "google.protobuf.NullValue" => Value::EnumNumber(0),
        Kind::Enum(_) => Value::EnumNumber(dice.one_of(&[0, 1, 3, 9, -7, 44, i32::MIN])),
        Kind::Message(of) => Value::Message(message(of, dice, depth + 1)),
    }
}

/// What the library makes of a message; nothing where that has no JSON to it.
fn expected(message: &DynamicMessage) -> Option<serde_json::Value> {
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(true)
        .use_proto_field_name(true)
        .skip_default_fields(true);
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut text);
    message.serialize_with_options(&mut serializer, &options).ok()?;
    serde_json::from_slice(&text).ok()
}

fn both(text: &str) -> (ProtobufSchema, DescriptorPool) {
    (schema(text), descriptors(text))
}

fn first(pool: &DescriptorPool, name: &str) -> MessageDescriptor {
    pool.get_message_by_name(name).expect("the schema has it")
}

/// Whether the database can have what was read, or the scan says why not.
fn is_json(text: &str) -> bool {
    json::scan(text.as_bytes()).map_or_else(
        |refusal| matches!(refusal.reason, Reason::NulEscape | Reason::NestedTooDeep),
        |_| true,
    )
}

#[test]
fn random_messages_become_what_the_library_makes_of_them() {
    for (text, name) in [(RICH, "rich.Rich"), (OLD, "old.Old")] {
        let (schema, pool) = both(text);
        let descriptor = first(&pool, name);
        proptest!(|(seed in 1_u64..)| {
            let random = message(&descriptor, &mut Dice(seed), 0);
            let read = schema.read_message(None, &random.encode_to_vec());
            let read = read.map_err(|refused| TestCaseError::fail(refused.detail))?;
            prop_assert_eq!(read.unknown_fields, []);
            let read: serde_json::Value = serde_json::from_str(&read.json).expect("it is JSON");
            prop_assert_eq!(Some(read), expected(&random));
        });
    }
}

#[test]
fn two_messages_behind_each_other_are_one_that_is_merged() {
    for (text, name) in [(RICH, "rich.Rich"), (OLD, "old.Old")] {
        let (schema, pool) = both(text);
        let descriptor = first(&pool, name);
        proptest!(|(seed in 1_u64..)| {
            let mut dice = Dice(seed);
            let parts = [0, 1].map(|depth| message(&descriptor, &mut dice, depth).encode_to_vec());
            let merged = parts.concat();
            let read = schema.read_message(None, &merged);
            let merged = DynamicMessage::decode(descriptor.clone(), merged.as_slice());
            let merged = merged.expect("the parts are messages");
            let read = read.map_err(|refused| TestCaseError::fail(refused.detail))?.json;
            // A Duration of two signs has no form; the library adds them up.
            prop_assume!(!read.contains("\"seconds\":"));
            let read: serde_json::Value = serde_json::from_str(&read).expect("it is JSON");
            // An Any with the bytes of another type has no form that the library would write.
            if let Some(expected) = expected(&merged) {
                prop_assert_eq!(read, expected);
            }
        });
    }
}

#[test]
fn any_bytes_are_a_message_or_are_refused() {
    let schemas = [schema(RICH), schema(OLD)];
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..200))| {
        for schema in &schemas {
            let read = [schema.read(&bytes), schema.read_message(None, &bytes)];
            for read in read.into_iter().flatten() {
                prop_assert!(is_json(&read.json), "{}", read.json);
            }
        }
    });
}

#[test]
fn a_message_with_a_byte_changed_is_a_message_or_is_refused() {
    let (schema, pool) = both(RICH);
    let descriptor = first(&pool, "rich.Rich");
    proptest!(|(seed in 1_u64.., at: prop::sample::Index, byte: u8, cut: prop::sample::Index)| {
        let mut bytes = message(&descriptor, &mut Dice(seed), 0).encode_to_vec();
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Ok(read) = schema.read_message(None, &bytes) {
            prop_assert!(is_json(&read.json), "{}", read.json);
        }
    });
}
