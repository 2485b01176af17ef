//! The schema registry: its client, and the readers of what its schemas describe (Avro, Protobuf,
//! JSON Schema). A value or key in Confluent's wire format becomes JSON here, for the decoders of
//! `event`.

pub mod avro;
mod json_writer;
pub mod protobuf;
