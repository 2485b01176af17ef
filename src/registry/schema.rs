//! A schema that values are read by.

use std::sync::Arc;

use serde::Deserialize;

use super::avro::{AvroSchema, AvroValue};
use super::protobuf::{ProtobufMessage, ProtobufSchema};
use super::references::Gathered;
use crate::event::{Reason, SchemaType, Unreadable};

/// The longest title of a JSON Schema that is a name.
const LONGEST_NAME: usize = 100;

/// A schema that values are read by.
#[derive(Debug)]
pub(in crate::registry) enum Schema {
    Avro(AvroSchema),
    Protobuf(ProtobufSchema),
    /// Only the name matters: values are not validated.
    Json(Option<Arc<str>>),
}

/// What a schema made of a value.
#[derive(Debug, Default)]
pub(in crate::registry) struct ReadValue {
    pub(in crate::registry) json: String,
    /// The full name of the record or message.
    pub(in crate::registry) name: Option<Arc<str>>,
    pub(in crate::registry) unknown_fields: Vec<(String, Vec<u8>)>,
    /// Whether the value is one of a single member, which a key stands for.
    pub(in crate::registry) members: Members,
}

/// What is known of the members of a value beside its JSON.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::registry) enum Members {
    /// All of them stand in the JSON.
    #[default]
    InJson,
    /// There are others, or may be.
    Several,
    /// There is one, which is left out where it has this default.
    One { default: String },
}

/// What a schema is written in, by the registry's name for it.
pub(in crate::registry) fn schema_type(name: &str) -> Option<SchemaType> {
    [SchemaType::Avro, SchemaType::Protobuf, SchemaType::Json]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(name))
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// What is wrong with it, as a lowercase fragment.
    pub(in crate::registry) fn parse(gathered: Gathered) -> Result<Self, String> {
        let Gathered { schema_type: given, text, references } = gathered;
        match schema_type(&given) {
            Some(SchemaType::Avro) => {
                let references: Vec<String> =
                    references.into_iter().map(|(_, text)| text).collect();
                AvroSchema::parse(&text, &references).map(Self::Avro)
            }
            Some(SchemaType::Protobuf) => {
                ProtobufSchema::parse(&text, &references).map(Self::Protobuf)
            }
            Some(SchemaType::Json) => Ok(Self::json(&text)),
            None => Err(format!("{given:?} is no type of schemas that is known")),
        }
    }

    /// A JSON Schema.
    pub(in crate::registry) fn json(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Titled {
            title: Option<String>,
        }
        let titled = serde_json::from_str::<Titled>(text).ok();
        let title = titled.and_then(|titled| titled.title).filter(|title| is_name(title));
        Self::Json(title.map(Arc::from))
    }

    pub(in crate::registry) fn schema_type(&self) -> SchemaType {
        match self {
            Self::Avro(_) => SchemaType::Avro,
            Self::Protobuf(_) => SchemaType::Protobuf,
            Self::Json(_) => SchemaType::Json,
        }
    }

    /// The name of what it describes, where that is one whatever the value is.
    pub(in crate::registry) fn name(&self) -> Option<Arc<str>> {
        match self {
            Self::Avro(schema) => schema.name().map(Arc::from),
            Self::Protobuf(_) => None,
            Self::Json(title) => title.clone(),
        }
    }

    /// Reads what follows the schema's id.
    pub(in crate::registry) fn read(&self, bytes: &[u8]) -> Result<ReadValue, Unreadable> {
        match self {
            Self::Avro(schema) => {
                let AvroValue { json, name } = schema.read(bytes)?;
                Ok(ReadValue { json, name, ..ReadValue::default() })
            }
            Self::Protobuf(schema) => schema.read(bytes).map(ReadValue::from),
            Self::Json(_) => self.read_json(bytes),
        }
    }

    /// Reads a value that has no header: of Protobuf a message of this name, else of the first one
    /// in the file.
    pub(in crate::registry) fn read_bare(
        &self,
        message: Option<&str>,
        bytes: &[u8],
    ) -> Result<ReadValue, Unreadable> {
        match self {
            Self::Protobuf(schema) => schema.read_message(message, bytes).map(ReadValue::from),
            Self::Avro(_) | Self::Json(_) => self.read(bytes),
        }
    }

    fn read_json(&self, bytes: &[u8]) -> Result<ReadValue, Unreadable> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let reason = Reason::InvalidUtf8;
            let position = error.valid_up_to();
            let detail =
                format!("{}, at byte {position} behind the schema's id", reason.describe());
            Unreadable { reason, detail }
        })?;
        Ok(ReadValue { json: text.to_owned(), name: self.name(), ..ReadValue::default() })
    }
}

impl From<ProtobufMessage> for ReadValue {
    fn from(message: ProtobufMessage) -> Self {
        let ProtobufMessage { json, name, unknown_fields, default_of_only_field } = message;
        let members = match default_of_only_field {
            Some(default) => Members::One { default },
            None => Members::Several,
        };
        Self { json, name: Some(name), unknown_fields, members }
    }
}

/// Whether the title of a JSON Schema is the name of something, and no sentence.
fn is_name(title: &str) -> bool {
    title.len() <= LONGEST_NAME
        && title.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && title.chars().all(|char| char.is_ascii_alphanumeric() || "_.$-".contains(char))
}

#[cfg(test)]
mod tests {
    use super::Schema;
    use crate::event::{Reason, SchemaType};

    #[test]
    fn the_title_of_a_json_schema_is_its_name_unless_it_is_a_sentence() {
        for (text, name) in [
            (r#"{"title": "OrderCreated", "type": "object"}"#, Some("OrderCreated")),
            (r#"{"title": "com.acme.OrderCreated"}"#, Some("com.acme.OrderCreated")),
            (r#"{"title": "An order that was created"}"#, None),
            (r#"{"title": 7}"#, None),
            (r#"{"type": "object"}"#, None),
            ("true", None),
            ("no JSON", None),
        ] {
            assert_eq!(Schema::json(text).name().as_deref(), name, "{text}");
        }
    }

    #[test]
    fn json_behind_an_id_passes_as_it_is() {
        let schema = Schema::json("{}");
        assert_eq!(schema.schema_type(), SchemaType::Json);
        let read = schema.read(b" {\"b\": 1, \"a\": 1.50}").expect("it is UTF-8");
        assert_eq!(read.json, " {\"b\": 1, \"a\": 1.50}");
        let refused = schema.read(b"{\"\xff").expect_err("it is not UTF-8");
        assert_eq!(refused.reason, Reason::InvalidUtf8);
        assert!(refused.detail.ends_with("at byte 2 behind the schema's id"), "{}", refused.detail);
    }
}
