//! Settings of librdkafka: ours, and those handed through by `-X`.

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::brokers;
use super::setting::Setting;
use super::setting_names::{BROKERS, canonical};
use crate::kafka::error::Error;

/// Where Kafka is, and how to talk to it. Each setting stands under one of its names, so that the
/// order alone decides which of two holds, and not the order of a map. `Debug` shows the names of
/// the `-X` settings, not their values.
#[derive(Clone)]
pub struct Settings {
    brokers: String,
    overrides: Vec<(String, String)>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.overrides.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Settings")
            .field("brokers", &self.brokers)
            .field("overrides", &names)
            .finish()
    }
}

impl Settings {
    /// Settings for the bootstrap servers `host:port,host:port`, with others for librdkafka; of two
    /// with the same name, or with two names of the same setting, the later one counts.
    ///
    /// # Errors
    /// `Error::Setting` where librdkafka has no such setting or value, or the file of one can't be
    /// read; `Error::Brokers` where the servers can't be.
    pub fn new(brokers: impl Into<String>, overrides: &[Setting]) -> Result<Self, Error> {
        let overrides: Vec<(String, String)> = overrides
            .iter()
            .map(|setting| Ok((setting.canonical_name().to_owned(), setting.value()?)))
            .collect::<Result<_, Error>>()?;
        let protocol = overrides.iter().rfind(|(name, _)| name == "security.protocol");
        let protocol = protocol.map_or("plaintext", |(_, value)| value);
        let brokers = brokers::read(&brokers.into(), protocol)?;
        let settings = Self { brokers, overrides };
        // librdkafka reads names and values, and connects nowhere.
        let read = settings.client(&[]).create_native_config();
        read.map_err(|error| Error::of_setting(&error))?;
        Ok(settings)
    }

    /// The bootstrap servers.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A configuration with `defaults`, which `-X` may override, and then the bootstrap servers.
    pub fn client(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        // Why a broker hangs up is told at this level only.
        config.set_log_level(RDKafkaLogLevel::Info);
        config.set("client.id", "audit");
        // Without it librdkafka would ask the broker to make topics that it is asked about.
        config.set("allow.auto.create.topics", "false");
        for (name, value) in defaults {
            config.set(canonical(name), *value);
        }
        for (name, value) in &self.overrides {
            config.set(name, value);
        }
        config.set(BROKERS, &self.brokers);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_can_come_from_a_file_and_is_never_shown() -> Result<(), Box<dyn std::error::Error>>
    {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "s3cret\n")?;
        let password = Setting::parse(&format!("sasl.password=@{}", file.path().display()))?;
        let settings = Settings::new("b:1", &[password])?;
        assert_eq!(settings.client(&[]).get("sasl.password"), Some("s3cret"));
        assert!(!format!("{settings:?}").contains("s3cret"));
        Ok(())
    }

    #[test]
    fn of_two_names_of_a_setting_the_later_one_counts() -> Result<(), Error> {
        let given = |texts: &[&str]| -> Result<Settings, Error> {
            let given: Result<Vec<_>, _> = texts.iter().map(|text| Setting::parse(text)).collect();
            Settings::new("b:1", &given?)
        };
        // The map behind a configuration has another order each time.
        for _ in 0..20 {
            let settings = given(&["sasl.mechanism=PLAIN", "sasl.mechanisms=SCRAM-SHA-512"])?;
            let config = settings.client(&[("linger.ms", "5")]);
            assert_eq!(
                config
                    .create_native_config()
                    .and_then(|native| native.get("sasl.mechanism"))
                    .ok()
                    .as_deref(),
                Some("SCRAM-SHA-512")
            );
            let config = given(&["queue.buffering.max.ms=7"])?.client(&[("linger.ms", "5")]);
            assert_eq!(
                config
                    .create_native_config()
                    .and_then(|native| native.get("linger.ms"))
                    .ok()
                    .as_deref(),
                Some("7")
            );
            let config = given(&["bootstrap.servers=other:1"])?.client(&[]);
            assert_eq!(
                config
                    .create_native_config()
                    .and_then(|native| native.get("bootstrap.servers"))
                    .ok()
                    .as_deref(),
                Some("b:1")
            );
        }
        Ok(())
    }
}
