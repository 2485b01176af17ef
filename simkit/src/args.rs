//! The options that both services have.

use clap::error::ErrorKind;
use clap::{Args, Command};

use crate::format::{Format, Registry, RegistryError};

/// Where a service finds its database and Kafka.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub struct ServiceArgs {
    /// The service's own database: postgresql://user@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Kafka's brokers: host:port, separated by commas
    #[arg(long, env = "KAFKA_BROKERS", default_value = "localhost:9092", value_name = "LIST")]
    pub brokers: String,
    /// The topic of the order service's events; made if it does not exist, as is its -dlt topic
    #[arg(long, env = "ORDERS_TOPIC", default_value = "orders.events", value_name = "TOPIC")]
    pub orders_topic: String,
    /// The topic of the payment service's events; made if it does not exist, as is its -dlt topic
    #[arg(long, env = "PAYMENTS_TOPIC", default_value = "payments.events", value_name = "TOPIC")]
    pub payments_topic: String,
    /// What the values of this service's records are written in; what it reads may be in each
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// The schema registry's URL, which avro and protobuf need [default: the one that audit's
    /// variable names]
    #[arg(long, env = "SCHEMA_REGISTRY", hide_env_values = true, value_name = "URL")]
    pub schema_registry: Option<String>,
    /// The consumer group [default: the service's name]
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}

impl ServiceArgs {
    /// Ends the program as wrong usage where the format needs a registry, and none is named.
    pub fn require_registry(&self, mut command: Command) {
        if self.format != Format::Json && self.registry_url().is_none() {
            let message = "avro and protobuf need a schema registry: --schema-registry URL";
            command.error(ErrorKind::MissingRequiredArgument, message).exit();
        }
    }

    /// Waits for the registry, if one is named.
    pub(crate) async fn registry(&self) -> Result<Option<Registry>, RegistryError> {
        match self.registry_url() {
            Some(url) => Registry::open(&url).await.map(Some),
            None => Ok(None),
        }
    }

    fn registry_url(&self) -> Option<String> {
        let of_audit = || std::env::var("AUDIT_SCHEMA_REGISTRY").ok();
        self.schema_registry.clone().or_else(of_audit).filter(|url| !url.is_empty())
    }
}
