//! Events on their way from a topic.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schema_registry_converter::async_impl::proto_raw::ProtoRawDecoder;
use schema_registry_converter::async_impl::schema_registry::{
    get_referenced_schema, get_schema_by_id,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RegisteredSchema, SchemaType};

use super::avro::AvroSchema;
use super::registry::Registry;
use super::{EventSchemas, protobuf};
use crate::event::{Event, MalformedEvent};
use crate::failure::Failure;

/// Reads events in each of the formats, whatever the service itself writes.
#[derive(Clone)]
pub struct EventReader(Option<Arc<Behind>>);

/// What is behind a registry, as far as it is known.
struct Behind {
    registry: Registry,
    messages: ProtoRawDecoder,
    schemas: Mutex<HashMap<u32, Known>>,
}

/// A schema that was fetched.
#[derive(Clone)]
enum Known {
    Avro(Arc<AvroSchema>),
    Protobuf,
}

/// The registry does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the schema registry does not answer: {}", .0.error)]
struct RegistryAway(SRCError);

/// The registry has no such schema, or one that describes no event of these services.
#[derive(Debug, thiserror::Error)]
#[error("the schema {id} cannot be used: {reason}")]
struct UnusableSchema {
    id: u32,
    reason: String,
}

impl EventReader {
    /// A reader of JSON, and of what this registry has schemas for.
    pub(crate) fn new(registry: Option<Registry>) -> Self {
        Self(registry.map(|registry| {
            let messages = ProtoRawDecoder::new(registry.settings().clone());
            Arc::new(Behind { registry, messages, schemas: Mutex::default() })
        }))
    }

    /// Reads the value of a record.
    ///
    /// # Errors
    /// [`Failure::Unprocessable`] if there is no value or it is not an envelope;
    /// [`Failure::Outage`] if the registry does not answer.
    pub async fn read(&self, value: Option<&[u8]>) -> Result<Event, Failure> {
        let Some([0, id @ .., _]) = value.and_then(<[u8]>::first_chunk::<6>) else {
            return Event::parse(value);
        };
        let id = u32::from_be_bytes(*id);
        let behind =
            self.0.as_ref().ok_or_else(|| Failure::unprocessable(&MalformedEvent::NoRegistry))?;
        behind.read(id, value.unwrap_or_default()).await
    }
}

impl Behind {
    async fn read(&self, id: u32, value: &[u8]) -> Result<Event, Failure> {
        let no_event = |error: &_| Failure::unprocessable(&MalformedEvent::Envelope).because(error);
        match self.schema(id).await? {
            Known::Avro(schema) => {
                schema.read(value.get(5..).unwrap_or_default()).map_err(|error| no_event(&error))
            }
            Known::Protobuf => {
                let message = self.messages.decode(Some(value)).await;
                self.messages.remove_errors_from_cache();
                let message = message.map_err(|error| failure(id, error))?;
                let message =
                    message.ok_or_else(|| Failure::unprocessable(&MalformedEvent::NoValue))?;
                let name = message.full_name.as_str();
                let schemas = [EventSchemas::Orders, EventSchemas::Payments];
                let schemas = schemas.into_iter().find(|schemas| schemas.message() == name);
                let schemas = schemas
                    .ok_or_else(|| unusable(id, format!("{name} is no event of these services")))?;
                protobuf::read(schemas, &message.bytes).map_err(|error| no_event(&error))
            }
        }
    }

    async fn schema(&self, id: u32) -> Result<Known, Failure> {
        let known = || self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = known().get(&id) {
            return Ok(schema.clone());
        }
        let registered = get_schema_by_id(id, self.registry.settings())
            .await
            .map_err(|error| failure(id, error))?;
        let schema = match registered.schema_type {
            SchemaType::Avro => Known::Avro(Arc::new(self.avro(id, &registered).await?)),
            SchemaType::Protobuf => Known::Protobuf,
            other => return Err(unusable(id, format!("it is of the type {other:?}"))),
        };
        known().insert(id, schema.clone());
        Ok(schema)
    }

    async fn avro(&self, id: u32, registered: &RegisteredSchema) -> Result<AvroSchema, Failure> {
        let mut referenced = Vec::new();
        for reference in &registered.references {
            let schema = get_referenced_schema(self.registry.settings(), reference).await;
            referenced.push(schema.map_err(|error| failure(id, error))?.schema);
        }
        AvroSchema::parse("the record", &registered.schema, &referenced)
            .map_err(|error| unusable(id, error.to_string()))
    }
}

/// An outage, where the registry did not answer; otherwise the record can't be processed.
fn failure(id: u32, error: SRCError) -> Failure {
    if error.retriable {
        return Failure::outage(&RegistryAway(error));
    }
    unusable(id, error.error)
}

fn unusable(id: u32, reason: String) -> Failure {
    Failure::unprocessable(&UnusableSchema { id, reason })
}
