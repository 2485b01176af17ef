//! Events on their way to a topic.

use schema_registry_converter::async_impl::proto_raw::ProtoRawEncoder;
use schema_registry_converter::schema_registry_common::{SubjectNameStrategy, get_payload};

use super::avro::AvroSchema;
use super::registry::{Registry, RegistryError};
use super::{DoesNotFit, EventSchemas, Format, protobuf};
use crate::event::Event;

/// Writes the values of a topic's records.
pub(crate) enum EventWriter {
    Json,
    Avro { id: u32, schema: Box<AvroSchema> },
    Protobuf(Box<Messages>),
}

/// Writes messages behind the id of their schema.
pub(crate) struct Messages {
    encoder: ProtoRawEncoder,
    subject: SubjectNameStrategy,
    schemas: EventSchemas,
}

impl EventWriter {
    /// Registers the schema of the topic's events, if the format has one.
    pub(crate) async fn open(
        format: Format,
        registry: Option<&Registry>,
        schemas: EventSchemas,
        topic: &str,
    ) -> Result<Self, RegistryError> {
        let Some(registry) = registry else { return Ok(Self::Json) };
        match format {
            Format::Json => Ok(Self::Json),
            Format::Avro => {
                let registered = registry.register(topic, schemas.supplied_avro()).await?;
                let schema = Box::new(AvroSchema::of(schemas));
                Ok(Self::Avro { id: registered.id, schema })
            }
            Format::Protobuf => {
                let schema = schemas.supplied_protobuf();
                registry.register(topic, schema.clone()).await?;
                let subject = SubjectNameStrategy::TopicNameStrategyWithSchema(
                    topic.to_owned(),
                    false,
                    schema,
                );
                let encoder = ProtoRawEncoder::new(registry.settings().clone());
                // It asks for the schema's id now, and never again: what is written later does not
                // depend on the registry.
                encoder.encode(&[], schemas.message(), subject.clone()).await.map_err(
                    |source| RegistryError::Register { subject: format!("{topic}-value"), source },
                )?;
                Ok(Self::Protobuf(Box::new(Messages { encoder, subject, schemas })))
            }
        }
    }

    /// The value of an event's record.
    pub(crate) async fn write(&self, event: &Event) -> Result<Vec<u8>, DoesNotFit> {
        match self {
            Self::Json => Ok(event.to_json().into_bytes()),
            Self::Avro { id, schema } => Ok(get_payload(*id, schema.write(event)?)),
            Self::Protobuf(messages) => {
                let Messages { encoder, subject, schemas } = messages.as_ref();
                let message = protobuf::write(*schemas, event)?;
                encoder
                    .encode(&message, schemas.message(), subject.clone())
                    .await
                    .map_err(|error| DoesNotFit { schema: schemas.message(), reason: error.error })
            }
        }
    }
}
