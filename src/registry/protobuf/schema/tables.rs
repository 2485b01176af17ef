//! What the reader of values knows of messages: fields in the order of their numbers, with the
//! JSON of their names. Descriptors have all of it, too, but behind reference counts and trees.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, ExtensionDescriptor, FieldDescriptor,
    MessageDescriptor, OneofDescriptor,
};

use crate::event::json::put_text;

/// All messages and enums of a schema, and of what it imports.
#[derive(Debug)]
pub(in crate::registry::protobuf) struct Tables {
    messages: Vec<Message>,
    enums: Vec<Enumeration>,
    by_name: HashMap<Arc<str>, u32>,
}

/// A message.
#[derive(Debug)]
pub(in crate::registry::protobuf) struct Message {
    pub(in crate::registry::protobuf) full_name: Arc<str>,
    pub(in crate::registry::protobuf) form: Form,
    /// By their numbers.
    pub(in crate::registry::protobuf) fields: Vec<Field>,
    has_oneofs: bool,
}

/// A field.
#[derive(Debug)]
pub(in crate::registry::protobuf) struct Field {
    pub(in crate::registry::protobuf) number: u32,
    pub(in crate::registry::protobuf) name: Box<str>,
    /// The name as JSON, with the colon.
    pub(in crate::registry::protobuf) key: Box<str>,
    pub(in crate::registry::protobuf) kind: Kind,
    pub(in crate::registry::protobuf) shape: Shape,
    /// Whether the default is told from a field that is not there.
    pub(in crate::registry::protobuf) has_presence: bool,
    /// Which of the message's oneofs it belongs to.
    pub(in crate::registry::protobuf) oneof: Option<u32>,
}

/// The type of a value; messages and enums by their places in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::protobuf) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Message(u32),
    Group(u32),
    Enum(u32),
    Null,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::protobuf) enum Shape {
    One,
    List,
    Map,
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::protobuf) enum Form {
    /// An object of its fields.
    Plain,
    Any,
    Timestamp,
    Duration,
    Wrapper,
    Struct,
    Value,
    List,
    FieldMask,
    Decimal,
    /// An object without members, which counts as a form of its own within an Any.
    Empty,
}

#[derive(Debug)]
struct Enumeration {
    default: i32,
    names: HashMap<i32, Box<str>>,
}

impl Tables {
    /// Of everything in the pool.
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let by_name = (0..).zip(pool.all_messages());
        let by_name: HashMap<Arc<str>, u32> =
            by_name.map(|(index, message)| (message.full_name().into(), index)).collect();
        let enums = (0..).zip(pool.all_enums());
        let enums_by_name: HashMap<String, u32> =
            enums.map(|(index, found)| (found.full_name().to_owned(), index)).collect();
        let names = Names { messages: &by_name, enums: &enums_by_name };
        Self {
            messages: pool.all_messages().map(|message| names.message(&message)).collect(),
            enums: pool.all_enums().map(|found| enumeration(&found)).collect(),
            by_name,
        }
    }

    /// The place of a message.
    pub(in crate::registry::protobuf) fn index_of(&self, full_name: &str) -> Option<u32> {
        self.by_name.get(full_name).copied()
    }

    /// The message at a place that a table has.
    pub(in crate::registry::protobuf) fn message(&self, index: u32) -> &Message {
        &self.messages[index as usize]
    }

    /// The name of an enum's number.
    pub(in crate::registry::protobuf) fn enum_name(&self, index: u32, number: i32) -> Option<&str> {
        self.enums[index as usize].names.get(&number).map(|name| &**name)
    }

    /// The number that an enum has where nothing says another.
    pub(in crate::registry::protobuf) fn enum_default(&self, index: u32) -> i32 {
        self.enums[index as usize].default
    }
}

impl Message {
    /// Which field has the number.
    pub(in crate::registry::protobuf) fn field_at(&self, number: u32) -> Option<u32> {
        let likely = number.wrapping_sub(1);
        match self.fields.get(likely as usize) {
            Some(field) if field.number == number => Some(likely),
            _ => {
                let found = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
                u32::try_from(found).ok()
            }
        }
    }

    /// Whether any field belongs to a oneof.
    pub(in crate::registry::protobuf) fn has_oneofs(&self) -> bool {
        self.has_oneofs
    }

    fn field(&self, number: u32) -> Option<&Field> {
        self.fields.get(self.field_at(number)? as usize)
    }
}

impl Kind {
    /// Whether several values may stand in one field without tags.
    pub(in crate::registry::protobuf) fn is_packable(self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Message(_) | Self::Group(_))
    }
}

fn enumeration(found: &EnumDescriptor) -> Enumeration {
    let mut names = HashMap::new();
    // In their order; the library's own list sorts them.
    for value in &found.enum_descriptor_proto().value {
        names.entry(value.number()).or_insert_with(|| value.name().into());
    }
    Enumeration { default: found.default_value().number(), names }
}

struct Names<'a> {
    messages: &'a HashMap<Arc<str>, u32>,
    enums: &'a HashMap<String, u32>,
}

impl Names<'_> {
    fn message(&self, message: &MessageDescriptor) -> Message {
        let oneofs: HashMap<String, u32> = message
            .oneofs()
            .filter(|oneof| !oneof.is_synthetic())
            .zip(0..)
            .map(|(oneof, index)| (oneof.full_name().to_owned(), index))
            .collect();
        let oneof = |oneof: OneofDescriptor| oneofs.get(oneof.full_name()).copied();
        let fields = message.fields().map(|field| Field {
            oneof: field.containing_oneof().and_then(oneof),
            ..self.field(&field)
        });
        let extensions = message.extensions().map(|extension| self.extension(&extension));
        let mut fields: Vec<Field> = fields.chain(extensions).collect();
        fields.sort_by_key(|field| field.number);
        // Two extensions may claim one number where the schema is wrong: the first has it.
        fields.dedup_by_key(|field| field.number);
        let mut message = Message {
            full_name: message.full_name().into(),
            form: Form::Plain,
            has_oneofs: fields.iter().any(|field| field.oneof.is_some()),
            fields,
        };
        message.form = form(&message);
        message
    }

    fn field(&self, field: &FieldDescriptor) -> Field {
        let kind = self.kind(&field.kind(), field.is_group());
        Field {
            shape: shape(field.cardinality(), &field.kind()),
            has_presence: field.supports_presence(),
            ..named(field.number(), field.name(), kind)
        }
    }

    fn extension(&self, extension: &ExtensionDescriptor) -> Field {
        let kind = self.kind(&extension.kind(), extension.is_group());
        let is_list = extension.cardinality() == Cardinality::Repeated;
        let name = format!("[{}]", extension.full_name());
        Field {
            shape: if is_list { Shape::List } else { Shape::One },
            has_presence: true,
            ..named(extension.number(), &name, kind)
        }
    }

    fn kind(&self, kind: &prost_reflect::Kind, is_group: bool) -> Kind {
        let message = |found: &MessageDescriptor| self.messages.get(found.full_name()).copied();
        let of_enum = |found: &EnumDescriptor| self.enums.get(found.full_name()).copied();
        match kind {
            prost_reflect::Kind::Double => Kind::Double,
            prost_reflect::Kind::Float => Kind::Float,
            prost_reflect::Kind::Int32 => Kind::Int32,
            prost_reflect::Kind::Int64 => Kind::Int64,
            prost_reflect::Kind::Uint32 => Kind::Uint32,
            prost_reflect::Kind::Uint64 => Kind::Uint64,
            prost_reflect::Kind::Sint32 => Kind::Sint32,
            prost_reflect::Kind::Sint64 => Kind::Sint64,
            prost_reflect::Kind::Fixed32 => Kind::Fixed32,
            prost_reflect::Kind::Fixed64 => Kind::Fixed64,
            prost_reflect::Kind::Sfixed32 => Kind::Sfixed32,
            prost_reflect::Kind::Sfixed64 => Kind::Sfixed64,
            prost_reflect::Kind::Bool => Kind::Bool,
            prost_reflect::Kind::String => Kind::String,
            prost_reflect::Kind::Bytes => Kind::Bytes,
            prost_reflect::Kind::Message(found) if is_group => {
                message(found).map_or(Kind::Bytes, Kind::Group)
            }
            // A type that no table has cannot be: the pool has resolved all of them.
            prost_reflect::Kind::Message(found) => {
                message(found).map_or(Kind::Bytes, Kind::Message)
            }
            prost_reflect::Kind::Enum(found) => match found.full_name() {
                "google.protobuf.NullValue" => Kind::Null,
                _ => of_enum(found).map_or(Kind::Int32, Kind::Enum),
            },
        }
    }
}

fn named(number: u32, name: &str, kind: Kind) -> Field {
    let mut key = String::with_capacity(name.len() + 3);
    put_text(&mut key, name);
    key.push(':');
    Field {
        number,
        name: name.into(),
        key: key.into(),
        kind,
        shape: Shape::One,
        has_presence: false,
        oneof: None,
    }
}

/// Whether a field is one value, a list, or a map: a list of messages that have a key and a value.
fn shape(cardinality: Cardinality, kind: &prost_reflect::Kind) -> Shape {
    if cardinality != Cardinality::Repeated {
        return Shape::One;
    }
    match kind.as_message() {
        Some(entry) if entry.is_map_entry() && is_entry(entry) => Shape::Map,
        _ => Shape::List,
    }
}

fn is_entry(entry: &MessageDescriptor) -> bool {
    use prost_reflect::Kind::{Bytes, Double, Enum, Float, Message};
    let [Some(key), Some(value)] = [1, 2].map(|number| entry.get_field(number)) else {
        return false;
    };
    let is_key = !matches!(key.kind(), Bytes | Double | Enum(_) | Float | Message(_));
    is_key && [key, value].iter().all(|field| field.cardinality() != Cardinality::Repeated)
}

/// The form that the JSON mapping has for a message: by its name, where its fields are those that
/// the form is made of.
fn form(message: &Message) -> Form {
    let has = |number, kinds: &[Kind]| {
        let field = message.field(number);
        field.is_some_and(|field| field.shape == Shape::One && kinds.contains(&field.kind))
    };
    let is_list = |number, shape| message.field(number).is_some_and(|field| field.shape == shape);
    let of_message = |number| {
        let kind = message.field(number).map(|field| field.kind);
        matches!(kind, Some(Kind::Message(_)))
    };
    let is_timed = has(1, &[Kind::Int64]) && has(2, &[Kind::Int32]);
    let (form, holds) = match &*message.full_name {
        "google.protobuf.Any" => (Form::Any, has(1, &[Kind::String]) && has(2, &[Kind::Bytes])),
        "google.protobuf.Timestamp" => (Form::Timestamp, is_timed),
        "google.protobuf.Duration" => (Form::Duration, is_timed),
        "google.protobuf.DoubleValue" => (Form::Wrapper, has(1, &[Kind::Double])),
        "google.protobuf.FloatValue" => (Form::Wrapper, has(1, &[Kind::Float])),
        "google.protobuf.Int64Value" => (Form::Wrapper, has(1, &[Kind::Int64])),
        "google.protobuf.UInt64Value" => (Form::Wrapper, has(1, &[Kind::Uint64])),
        "google.protobuf.Int32Value" => (Form::Wrapper, has(1, &[Kind::Int32])),
        "google.protobuf.UInt32Value" => (Form::Wrapper, has(1, &[Kind::Uint32])),
        "google.protobuf.BoolValue" => (Form::Wrapper, has(1, &[Kind::Bool])),
        "google.protobuf.StringValue" => (Form::Wrapper, has(1, &[Kind::String])),
        "google.protobuf.BytesValue" => (Form::Wrapper, has(1, &[Kind::Bytes])),
        "google.protobuf.Struct" => (Form::Struct, is_list(1, Shape::Map)),
        "google.protobuf.Value" => (Form::Value, is_value(message)),
        "google.protobuf.ListValue" => (Form::List, is_list(1, Shape::List) && of_message(1)),
        "google.protobuf.FieldMask" => {
            let is_text = message.field(1).is_some_and(|field| field.kind == Kind::String);
            (Form::FieldMask, is_list(1, Shape::List) && is_text)
        }
        "google.protobuf.Empty" => (Form::Empty, message.fields.is_empty()),
        "confluent.type.Decimal" => {
            (Form::Decimal, has(1, &[Kind::Bytes]) && has(3, &[Kind::Int32]))
        }
        _ => (Form::Plain, true),
    };
    if holds { form } else { Form::Plain }
}

fn is_value(message: &Message) -> bool {
    message.fields.len() == 6
        && message.fields.iter().all(|field| field.oneof == Some(0) && field.shape == Shape::One)
}
