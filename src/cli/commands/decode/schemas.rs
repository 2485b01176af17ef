//! Where the schemas of the records come from.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use record_file::RegisteredSchema;

use crate::cli::settings::{ResolvedSettings, SchemaRegistryArgs};
use crate::cli::ui::Failure;
use crate::event::{Record, Unpacked};
use crate::registry::{SchemaFile, Schemas, Unpacker};

/// Where the schemas of the records come from, as typed.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Read values by the schema in this file: .avsc (Avro), .proto (with what it imports below its
    /// folder) or .json (JSON Schema). They may have the header of a schema registry, or none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Schemas")]
    schema: Option<PathBuf>,
    /// The message of a .proto file that a value without a header is [default: the first one]
    #[arg(long, value_name = "NAME", requires = "schema", help_heading = "Schemas")]
    message: Option<String>,
    #[command(flatten)]
    registry: SchemaRegistryArgs,
}

/// Where the schemas of the records come from.
pub(super) enum SchemaSource {
    /// Nowhere: a value is read as it stands.
    Nowhere,
    File(SchemaFile),
    Registry(Box<Schemas>),
}

impl SchemaArgs {
    /// Reads the file, or gets ready to ask the registry.
    pub(super) fn source(self, settings: &ResolvedSettings) -> Result<SchemaSource, Failure> {
        let Some(path) = self.schema else {
            return Ok(match settings.schema_registry()? {
                Some(registry) => SchemaSource::Registry(Box::new(Schemas::new(&registry)?)),
                None => SchemaSource::Nowhere,
            });
        };
        if settings.registry.is_typed() {
            let message = "--schema and --schema-registry are two sources of one schema";
            return Err(Failure::usage(message).with_hint("give one of them"));
        }
        let name = path.display();
        let Some(schema_type) = SchemaFile::type_of(&path) else {
            return Err(Failure::usage(format!("--schema {name}: its ending tells nothing"))
                .with_hint("name a file that ends in .avsc, .proto or .json"));
        };
        let file = SchemaFile::read(&path, schema_type)
            .map_err(|reason| Failure::new(format!("--schema {name}: {reason}")))?;
        let Some(message) = self.message else { return Ok(SchemaSource::File(file)) };
        file.with_message(&message)
            .map(SchemaSource::File)
            .map_err(|reason| Failure::usage(format!("--message {message}: {reason}")))
    }
}

impl SchemaSource {
    /// What the schemas make of a record; those that stand beside it in its file, where no others
    /// are named. A registry is asked once, and not waited for.
    pub(super) async fn unpack(
        &self,
        record: &Record<'_>,
        beside: Option<&[RegisteredSchema]>,
    ) -> Result<Unpacked, Failure> {
        match (self, beside) {
            (Self::Nowhere, None) => Ok(Unpacked::default()),
            (Self::Nowhere, Some(beside)) => unpack(&Schemas::given(beside), record).await,
            (Self::File(schema), _) => Ok(schema.unpack(record)),
            (Self::Registry(schemas), _) => unpack(schemas, record).await,
        }
    }
}

async fn unpack(schemas: &Schemas, record: &Record<'_>) -> Result<Unpacked, Failure> {
    let mut unpacker = Unpacker::new(schemas);
    loop {
        match unpacker.unpack(record) {
            Ok(unpacked) => return Ok(unpacked),
            Err(missing) => schemas.load(&missing).await?,
        }
    }
}
