//! What schemas make of a record's value and key: JSON, and which schema it was.
//!
//! Values in Confluent's wire format are read by `registry`, which knows the schemas; the decoders
//! here take up the JSON.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::event::{Reason, Record};

/// What schemas made of a record; by default nothing: its bytes are what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// What the value became; `None` where no schema describes it.
    pub value: Option<UnpackedValue>,
    /// What the key became; `None` where no schema describes it, or it could not be read.
    pub key: Option<UnpackedKey>,
}

/// A value that a schema describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedValue {
    /// The schema, as far as it is known.
    pub schema: RecordSchema,
    /// The value as JSON; otherwise why there is none.
    pub json: Result<String, Unreadable>,
    /// Fields that the schema does not have, as they came, by the path of the message that holds
    /// them; the path of the value itself is empty.
    pub unknown_fields: Vec<(String, Vec<u8>)>,
}

/// A key that a schema describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedKey {
    /// The schema's id in the registry.
    pub schema_id: Option<u32>,
    /// What the key is: its text, the value of its only member, else JSON.
    pub text: String,
}

/// A schema as the attributes tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordSchema {
    /// Its id in the registry; `None` for one out of a file.
    pub id: Option<u32>,
    /// What it is written in.
    pub schema_type: Option<SchemaType>,
    /// The subject under which the registry has it.
    pub subject: Option<Arc<str>>,
    /// The full name of the record or message that the value is.
    pub name: Option<Arc<str>>,
}

/// What a schema is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// Apache Avro.
    Avro,
    /// Protocol Buffers.
    Protobuf,
    /// JSON Schema.
    Json,
}

/// Why a schema makes nothing of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The reason that the quarantined row has.
    pub reason: Reason,
    /// The same in words, with what was found where.
    pub detail: String,
}

impl SchemaType {
    /// The name that registries have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
        }
    }
}

impl Unpacked {
    /// Of a record that no schema describes.
    pub fn nothing() -> &'static Self {
        static NOTHING: Unpacked = Unpacked { value: None, key: None };
        &NOTHING
    }

    /// The key that names the aggregate and stands in the attributes.
    pub(in crate::event) fn key<'a>(&'a self, record: &Record<'a>) -> Option<&'a [u8]> {
        self.key.as_ref().map(|key| key.text.as_bytes()).or(record.key)
    }

    /// The last part of the name of the record or message that the value is.
    pub(in crate::event) fn short_name(&self) -> Option<&str> {
        let name = self.value.as_ref()?.schema.name.as_deref()?;
        name.rsplit(['.', '$']).next().filter(|name| !name.is_empty())
    }

    /// The schema of the value; of a value that begins like JSON behind an id, the id alone.
    pub(in crate::event) fn schema(&self, id: Option<u32>) -> RecordSchema {
        match &self.value {
            Some(value) => value.schema.clone(),
            None => RecordSchema { id, ..RecordSchema::default() },
        }
    }
}
