//! A schema out of a file: for trying out what it makes of a value.

use std::fs;
use std::path::Path;

use serde::de::IgnoredAny;

use super::avro::AvroSchema;
use super::protobuf::ProtobufSchema;
use super::schema::{ReadValue, Schema};
use crate::event::{
    Record, RecordSchema, SchemaType, Unpacked, UnpackedValue, Unreadable, header_and_data,
};

/// A schema out of a file.
#[derive(Debug)]
pub struct SchemaFile {
    schema: Schema,
    message: Option<String>,
}

impl SchemaFile {
    /// What a file holds, by the ending of its name.
    pub fn type_of(path: &Path) -> Option<SchemaType> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "avsc" => Some(SchemaType::Avro),
            "proto" => Some(SchemaType::Protobuf),
            "json" => Some(SchemaType::Json),
            _ => None,
        }
    }

    /// Reads a file, and what it imports out of its folder.
    ///
    /// # Errors
    /// What is wrong with the file, as a lowercase fragment.
    pub fn read(path: &Path, schema_type: SchemaType) -> Result<Self, String> {
        let text = || fs::read_to_string(path).map_err(|error| error.to_string());
        let schema = match schema_type {
            SchemaType::Avro => Schema::Avro(AvroSchema::parse(&text()?, &[])?),
            SchemaType::Protobuf => Schema::Protobuf(ProtobufSchema::open(path)?),
            SchemaType::Json => {
                let text = text()?;
                serde_json::from_str::<IgnoredAny>(&text)
                    .map_err(|error| format!("not JSON: {error}"))?;
                Schema::json(&text)
            }
        };
        match &schema {
            Schema::Protobuf(file) if file.message_names().is_empty() => {
                Err("it has no message".to_owned())
            }
            _ => Ok(Self { schema, message: None }),
        }
    }

    /// Takes bare values for this message of Protobuf, and not for the first one of the file: by
    /// its full name, or the last parts of it.
    ///
    /// # Errors
    /// The messages that there are, as a lowercase fragment.
    pub fn with_message(self, name: &str) -> Result<Self, String> {
        let Schema::Protobuf(file) = &self.schema else {
            return Err("only a .proto file has messages".to_owned());
        };
        let names = file.message_names();
        let ending = format!(".{name}");
        let is_it = |known: &&&str| **known == name || known.ends_with(&ending);
        match names.iter().find(is_it).map(|found| (*found).to_owned()) {
            Some(found) => Ok(Self { message: Some(found), ..self }),
            None => Err(format!("the file has {}", names.join(", "))),
        }
    }

    /// What the schema makes of a value: behind a header of Confluent's wire format, where the
    /// value has one and is readable behind it, else bare.
    pub fn unpack(&self, record: &Record<'_>) -> Unpacked {
        let Some(value) = record.value.filter(|value| !value.is_empty()) else {
            return Unpacked::default();
        };
        let (id, read) = self.read_value(value);
        let mut schema = RecordSchema {
            id,
            schema_type: Some(self.schema.schema_type()),
            subject: None,
            name: self.schema.name(),
        };
        let (json, unknown_fields) = match read {
            Ok(read) => {
                schema.name = read.name;
                (Ok(read.json), read.unknown_fields)
            }
            Err(unreadable) => (Err(unreadable), Vec::new()),
        };
        Unpacked { value: Some(UnpackedValue { schema, json, unknown_fields }), key: None }
    }

    fn read_value(&self, value: &[u8]) -> (Option<u32>, Result<ReadValue, Unreadable>) {
        let with_header = header_and_data(value).map(|(id, data)| (id, self.schema.read(data)));
        match with_header {
            Some((id, Ok(read))) => (Some(id), Ok(read)),
            with_header => {
                let bare = self.schema.read_bare(self.message.as_deref(), value);
                match (bare, with_header) {
                    // It looks like one with a header, so the user is told about that.
                    (Err(_), Some((id, Err(unreadable)))) => (Some(id), Err(unreadable)),
                    (bare, _) => (None, bare),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::SchemaFile;
    use crate::event::SchemaType;

    #[test]
    fn the_ending_of_a_name_tells_what_a_file_holds() {
        for (name, schema_type) in [
            ("a/order.avsc", Some(SchemaType::Avro)),
            ("order.PROTO", Some(SchemaType::Protobuf)),
            ("order.schema.json", Some(SchemaType::Json)),
            ("order.xsd", None),
            ("avsc", None),
        ] {
            assert_eq!(SchemaFile::type_of(Path::new(name)), schema_type, "{name}");
        }
    }
}
