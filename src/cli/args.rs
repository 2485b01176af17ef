//! Arguments that several commands share.

use clap::Args;

use super::failure::Failure;
use crate::{kafka, store};

/// Where PostgreSQL and Kafka are. Secrets belong into the environment, PGPASSFILE or a file, not onto the command line.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// The audit database: postgresql://user@host:port/database; the PG* variables and PGPASSFILE fill what it leaves open
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "AUDIT_DATABASE_URL",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    database_url: Option<String>,
    /// Kafka's bootstrap servers: host:port,host:port [also: KAFKA_BROKERS]
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "AUDIT_BROKERS",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    brokers: Option<String>,
    /// Any setting of librdkafka, such as -X security.protocol=SASL_SSL (repeatable; KEY=@FILE reads the value from a file)
    #[arg(short = 'X', global = true, value_name = "KEY=VALUE", help_heading = "Connection")]
    kafka_settings: Vec<String>,
}

impl ConnectionArgs {
    /// The database's settings.
    pub(crate) fn database(&self) -> Result<store::Settings, Failure> {
        Ok(store::Settings::resolve(self.database_url.as_deref(), |name| std::env::var(name).ok())?)
    }

    /// Kafka's settings.
    pub(crate) fn kafka(&self) -> Result<kafka::Settings, Failure> {
        let brokers =
            self.brokers.clone().or_else(|| std::env::var("KAFKA_BROKERS").ok()).ok_or_else(|| {
                Failure::usage("no Kafka brokers are given")
                    .with_hint("--brokers HOST:PORT, or AUDIT_BROKERS")
            })?;
        kafka::Settings::new(brokers, &self.kafka_settings)
            .map_err(|error| Failure::usage(error.to_string()).with_hint(error.hint().unwrap_or_default()))
    }
}
