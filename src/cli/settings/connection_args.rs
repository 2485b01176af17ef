//! Where the servers are, as typed.

use clap::Args;

use crate::registry::RegistryUrl;
use crate::{kafka, store};

/// Where PostgreSQL and Kafka are. Secrets belong into the environment, PGPASSFILE or a file, not
/// onto the command line.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Take settings from this profile of the configuration file
    ///
    /// `audit config --help` tells what a profile holds, and `audit config show` what holds now.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "AUDIT_PROFILE",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) profile: Option<String>,
    /// The audit database: postgresql://user@host:port/database
    ///
    /// The PG* variables and PGPASSFILE fill what it leaves open [default: localhost:5432/audit_db]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "AUDIT_DATABASE_URL",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) database_url: Option<store::DatabaseUrl>,
    /// Kafka's bootstrap servers: host:port,host:port
    ///
    /// KAFKA_BROKERS is heeded, too.
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "AUDIT_BROKERS",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) brokers: Option<String>,
    /// Any setting of librdkafka, such as -X security.protocol=SASL_SSL (repeatable; KEY=@FILE
    /// reads the value from a file)
    #[arg(
        short = 'X',
        global = true,
        hide_short_help = true,
        value_name = "KEY=VALUE",
        value_parser = kafka::Setting::parse,
        help_heading = "Connection"
    )]
    pub(crate) kafka_settings: Vec<kafka::Setting>,
}

/// Where the schemas of values and keys are, for commands that read records of Kafka. As the others
/// it is weighed against the variable and the profile by `ResolvedSettings`.
#[derive(Debug, Args)]
pub(crate) struct SchemaRegistryArgs {
    /// The schema registry, which describes values and keys in Avro, Protobuf and JSON Schema:
    /// http://host:8081
    ///
    /// A user and a password may stand in it, but are better kept in a profile and in
    /// AUDIT_SCHEMA_REGISTRY_PASSWORD. A path is kept: Apicurio's is /apis/ccompat/v7.
    #[arg(
        long,
        value_name = "URL",
        env = "AUDIT_SCHEMA_REGISTRY",
        hide_env_values = true,
        help_heading = "Schemas"
    )]
    schema_registry: Option<RegistryUrl>,
}
