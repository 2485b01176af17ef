//! Events on their way from a topic.

use std::collections::HashMap;
use std::error::Error as _;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use schema_registry_converter::async_impl::proto_raw::ProtoRawDecoder;
use schema_registry_converter::async_impl::schema_registry::{
    get_referenced_schema, get_schema_by_id,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RawError, RegisteredSchema, SchemaType};

use super::avro::AvroSchema;
use super::registry::Registry;
use super::{EventSchemas, protobuf};
use crate::event::{Event, MalformedEvent};
use crate::failure::Failure;

/// The registry's error codes of a subject, a version or a schema that is not there.
const UNKNOWN: RangeInclusive<u32> = 40401..=40403;

/// What the decoder says of a schema that it fetched and that is not one of Protobuf.
const NO_PROTOBUF: &str = "Could not parse protobuf schema";

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

/// The registry does not answer, or not as a registry does.
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
                let message = message.map_err(|error| decoding_failure(id, error))?;
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

/// A failure to ask the registry: an outage, unless it answers that it has no such schema.
fn failure(id: u32, error: SRCError) -> Failure {
    let answer = error.source().and_then(|source| source.downcast_ref::<RawError>());
    match answer {
        Some(answer) if UNKNOWN.contains(&answer.error_code) => {
            unusable(id, answer.message.clone())
        }
        _ => Failure::outage(&RegistryAway(error)),
    }
}

/// A failure of the decoder, which asks the registry for the schema once more. It marks what came
/// of asking as retriable or cached, and what came of the record as neither.
fn decoding_failure(id: u32, error: SRCError) -> Failure {
    let has_asked = error.retriable || error.cached;
    if has_asked && error.error != NO_PROTOBUF {
        return failure(id, error);
    }
    unusable(id, error.error)
}

fn unusable(id: u32, reason: String) -> Failure {
    Failure::unprocessable(&UnusableSchema { id, reason })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::EventReader;
    use crate::failure::Failure;
    use crate::format::Registry;

    const OTHER_MESSAGE: &str =
        r#"{"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message Other {}"}"#;

    /// Starts a registry without subjects that answers each other request by its number, from 0 on,
    /// with a status and a body. Returns its URL.
    fn registry(answer: impl Fn(usize) -> (u16, String) + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        thread::spawn(move || {
            let mut number = 0;
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let asked = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let (status, body) = if asked.starts_with("GET /subjects ") {
                    (200, "[]".to_owned())
                } else {
                    number += 1;
                    answer(number - 1)
                };
                let head = format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\n");
                let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                // Whoever asked may be gone.
                let _ = (&stream).write_all(text.as_bytes());
            }
        });
        format!("http://{address}")
    }

    /// What comes of reading a record by the schema 7 of a registry that answers this.
    async fn failure_at(
        data: &[u8],
        answer: impl Fn(usize) -> (u16, String) + Send + 'static,
    ) -> Failure {
        let registry = Registry::open(&registry(answer)).await.expect("it answers");
        let value = [&[0, 0, 0, 0, 7], data].concat();
        let read = EventReader::new(Some(registry)).read(Some(&value)).await;
        read.expect_err("it is no event")
    }

    #[tokio::test]
    async fn a_registry_that_fails_or_refuses_is_an_outage() {
        for (status, body) in [
            (500, r#"{"error_code":50001,"message":"Error in the backend data store"}"#),
            (502, ""),
            (503, "<html>later</html>"),
            (504, ""),
            (429, ""),
            (429, r#"{"error_code":429,"message":"slow down"}"#),
            (401, r#"{"error_code":401,"message":"Unauthorized"}"#),
            (404, "<html>nothing here</html>"),
            (404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
            (200, "<html>Log in</html>"),
            (200, r#"{"id":7}"#),
        ] {
            let failure = failure_at(&[0], move |_| (status, body.to_owned())).await;
            assert!(failure.is_outage(), "{status} {body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_fails_when_the_decoder_asks_is_an_outage() {
        for (status, body) in [(500, ""), (429, ""), (200, "<html>Log in</html>")] {
            let failure = failure_at(&[0], move |number| match number {
                0 => (200, OTHER_MESSAGE.to_owned()),
                _ => (status, body.to_owned()),
            })
            .await;
            assert!(failure.is_outage(), "{status} {body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_schema_that_is_unknown_or_no_use_makes_a_record_unprocessable() {
        let unprocessable = |failure: &Failure| matches!(failure, Failure::Unprocessable(_));
        for code in [40401, 40402, 40403] {
            let body = format!(r#"{{"error_code":{code},"message":"not found"}}"#);
            let failure = failure_at(&[0], move |_| (404, body.clone())).await;
            assert!(unprocessable(&failure), "{code}: {failure}");
        }
        // A schema that is not one, a message of another service, and a message that is not there.
        let broken = r#"{"schemaType":"PROTOBUF","schema":"broken"}"#;
        for (data, body) in [(&[0][..], broken), (&[0], OTHER_MESSAGE), (&[2, 4], OTHER_MESSAGE)] {
            let failure = failure_at(data, move |_| (200, body.to_owned())).await;
            assert!(unprocessable(&failure), "{data:?} {body}: {failure}");
        }
    }
}
