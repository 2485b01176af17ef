//! Settings of librdkafka: ours, and those handed through by `-X`.

use std::fmt;

use rdkafka::ClientConfig;

use super::{Error, Setting};

/// Where Kafka is, and how to talk to it. `Debug` shows the names of the `-X` settings, not their
/// values.
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
    /// with the same name the later one counts.
    ///
    /// # Errors
    /// `Error::Setting` where the file of one can't be read.
    pub fn new(brokers: impl Into<String>, overrides: &[Setting]) -> Result<Self, Error> {
        let overrides = overrides
            .iter()
            .map(|setting| Ok((setting.name().to_owned(), setting.value()?)))
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
}
