//! The schema registry: its client, and the readers of what its schemas describe (Avro, Protobuf,
//! JSON Schema). A value or key in Confluent's wire format becomes JSON here, for the decoders of
//! `event`.
//!
//! `schemas` keeps what `client` and `references` fetched. `unpack` asks only that: where a schema
//! is missing, it says which, and whoever unpacks loads it and comes back. So one place decides
//! how long a registry that is away is waited for.

pub mod avro;
mod client;
mod error;
mod given;
mod json_writer;
mod key_text;
pub mod protobuf;
mod references;
mod schema;
mod schema_file;
mod schemas;
mod settings;
mod unpack;
mod url;

pub use error::Error;
pub use schema_file::SchemaFile;
pub use schemas::{Missing, Schemas};
pub use settings::{Credentials, Settings};
pub use unpack::Unpacker;
pub use url::RegistryUrl;
