//! Arguments that several commands share.

use clap::Args;

use super::resolved::ResolvedSettings;
use crate::cli::ui::failure::Failure;
use crate::{kafka, store};

/// Where PostgreSQL and Kafka are. Secrets belong into the environment, PGPASSFILE or a file, not
/// onto the command line.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Take settings from this profile of the configuration file; `audit config --help` tells more
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "AUDIT_PROFILE",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) profile: Option<String>,
    /// The audit database: postgresql://user@host:port/database; the PG* variables and PGPASSFILE
    /// fill what it leaves open
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "AUDIT_DATABASE_URL",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) database_url: Option<store::DatabaseUrl>,
    /// Kafka's bootstrap servers: host:port,host:port [also: KAFKA_BROKERS]
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
        value_name = "KEY=VALUE",
        value_parser = kafka::Setting::parse,
        help_heading = "Connection"
    )]
    pub(crate) kafka_settings: Vec<kafka::Setting>,
    /// What holds, after all of this was weighed against variables and the profile.
    #[arg(skip)]
    pub(crate) resolved: ResolvedSettings,
}

impl ConnectionArgs {
    /// The database's settings.
    pub(crate) fn database(&self) -> Result<store::Settings, Failure> {
        let url = self.resolved.database_url.as_ref().map(|url| url.value.as_str());
        let password = self.resolved.password_of_file()?;
        Ok(store::Settings::resolve(url, password, |name| std::env::var(name).ok())?)
    }

    /// Connects to the database and checks its schema. `application` is what `pg_stat_activity`
    /// shows.
    pub(crate) async fn session(&self, application: &str) -> Result<store::Session, Failure> {
        Ok(store::Session::open(&self.database()?, application).await?)
    }

    /// Kafka's settings.
    pub(crate) fn kafka(&self) -> Result<kafka::Settings, Failure> {
        let brokers = self.resolved.brokers.as_ref().ok_or_else(|| {
            Failure::usage("no Kafka brokers are given")
                .with_hint("--brokers HOST:PORT, AUDIT_BROKERS, or brokers in a profile")
        })?;
        let settings: Vec<_> =
            self.resolved.kafka.iter().map(|setting| setting.value.clone()).collect();
        kafka::Settings::new(&brokers.value, &settings).map_err(|error| {
            Failure::usage(error.to_string()).with_hint(error.hint().unwrap_or_default())
        })
    }
}
