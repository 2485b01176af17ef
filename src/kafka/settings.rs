//! Settings of librdkafka: ours, and those handed through by `-X`.

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use super::Error;

/// Settings that the exactly-once protocol depends on: `-X` can't change them.
const PROTECTED: [&str; 9] = [
    "acks",
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "message.timeout.ms",
];

/// Where Kafka is, and how to talk to it. `Debug` shows the names of the `-X` settings, not their values.
#[derive(Clone)]
pub struct Settings {
    brokers: String,
    overrides: Vec<(String, String)>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.overrides.iter().map(|(name, _)| name.as_str()).collect();
        formatter.debug_struct("Settings").field("brokers", &self.brokers).field("overrides", &names).finish()
    }
}

impl Settings {
    /// Settings for the bootstrap servers `host:port,host:port`, with `KEY=VALUE` settings for librdkafka; `KEY=@FILE`
    /// takes the value from a file, so that a secret needs to be on no command line.
    ///
    /// # Errors
    /// `Error::Setting` where one has no `=`, is protected, or its file can't be read.
    pub fn new(brokers: impl Into<String>, overrides: &[String]) -> Result<Self, Error> {
        let overrides = overrides
            .iter()
            .map(|text| {
                let (name, value) = text
                    .split_once('=')
                    .ok_or_else(|| Error::Setting(format!("-X {text}: expected KEY=VALUE")))?;
                if PROTECTED.contains(&name) {
                    return Err(Error::Setting(format!("-X {name}: the exactly-once protocol sets it")));
                }
                let value = match value.strip_prefix('@') {
                    None => value.to_owned(),
                    Some(path) => std::fs::read_to_string(path)
                        .map_err(|error| Error::Setting(format!("-X {name}=@{path}: {error}")))?
                        .trim_end_matches(['\r', '\n'])
                        .to_owned(),
                };
                Ok((name.to_owned(), value))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { brokers: brokers.into(), overrides })
    }

    /// The bootstrap servers.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A configuration with `defaults`, which `-X` may override, and then the bootstrap servers.
    pub fn client(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "audit");
        // Without it librdkafka would ask the broker to make topics that it is asked about.
        config.set("allow.auto.create.topics", "false");
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in &self.overrides {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// Sends librdkafka's log lines to `tracing`.
#[derive(Debug, Clone, Copy)]
pub struct LogContext;

impl ClientContext for LogContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The same is reported by the request that failed, or mends itself: librdkafka reconnects for ever.
        tracing::debug!(target: "audit::librdkafka", %error, reason, "client error");
    }
}

impl ConsumerContext for LogContext {}

/// One log line of librdkafka.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "audit::librdkafka", facility, "{message}");
        }
        // A broker that is away is an "error" to librdkafka at each attempt; the ingester says once what it means.
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
            tracing::info!(target: "audit::librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(target: "audit::librdkafka", facility, "{message}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_can_come_from_a_file_and_is_never_shown() -> Result<(), Box<dyn std::error::Error>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "s3cret\n")?;
        let settings = Settings::new("b:1", &[format!("sasl.password=@{}", file.path().display())])?;
        assert_eq!(settings.client(&[]).get("sasl.password"), Some("s3cret"));
        assert!(!format!("{settings:?}").contains("s3cret"));
        Ok(())
    }

    #[test]
    fn what_the_protocol_depends_on_cannot_be_overridden() {
        assert!(Settings::new("b:1", &["enable.auto.commit=true".to_owned()]).is_err());
        assert!(Settings::new("b:1", &["nonsense".to_owned()]).is_err());
    }
}
