//! One setting of librdkafka, as `-X` or a profile has it.

use std::fmt;

use super::setting_names::{BROKERS, canonical};
use crate::kafka::error::Error;

/// Settings that the exactly-once protocol depends on: nobody else can change them, under no name.
const PROTECTED: [&str; 10] = [
    "acks",
    "auto.offset.reset",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "message.timeout.ms",
];

/// A name and its value; `@FILE` takes the value from a file, so that a secret needs to stand
/// nowhere else. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    name: String,
    given: String,
}

impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.shown())
    }
}

impl Setting {
    /// A setting by its name.
    ///
    /// # Errors
    /// `Error::Setting` where it is protected.
    pub fn new(name: impl Into<String>, given: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let own = canonical(&name);
        match PROTECTED.into_iter().find(|protected| canonical(protected) == own) {
            Some(protected) if protected == name => {
                Err(Error::Setting(format!("{name}: the exactly-once protocol sets it")))
            }
            Some(protected) => Err(Error::Setting(format!(
                "{name}: another name of {protected}, which the exactly-once protocol sets"
            ))),
            None => Ok(Self { name, given: given.into() }),
        }
    }

    /// A setting as `-X` takes it: `KEY=VALUE`.
    ///
    /// # Errors
    /// `Error::Setting` where there is no `=`, or it is protected.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, given) =
            text.split_once('=').ok_or_else(|| Error::Setting("expected KEY=VALUE".to_owned()))?;
        Self::new(name, given)
    }

    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether both set the same, be it under two names.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.canonical_name() == other.canonical_name()
    }

    /// Whether it names the brokers.
    pub fn names_brokers(&self) -> bool {
        self.canonical_name() == BROKERS
    }

    /// The one of its names under which librdkafka is given it.
    pub(super) fn canonical_name(&self) -> &str {
        canonical(&self.name)
    }

    /// The value as it may be shown: a secret is hidden, the name of its file is not.
    pub fn shown(&self) -> &str {
        if self.is_plain_secret() { "***" } else { &self.given }
    }

    /// Whether a secret was given itself, not the name of the file that it is in.
    pub fn is_plain_secret(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let is_secret = ["pass", "secret"].iter().any(|part| name.contains(part))
            || ["token", "key.pem", "oauthbearer.config", "jaas.config"]
                .iter()
                .any(|end| name.ends_with(end));
        is_secret && !self.given.starts_with('@')
    }

    /// The value, read from its file where it is in one.
    pub(crate) fn value(&self) -> Result<String, Error> {
        let Some(path) = self.given.strip_prefix('@') else { return Ok(self.given.clone()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Setting(format!("{}=@{path}: {error}", self.name)))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() -> Result<(), Error> {
        for name in [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "sasl.oauthbearer.config",
        ] {
            assert_eq!(format!("{:?}", Setting::new(name, "s3cret")?), format!("{name}=***"));
            assert_eq!(Setting::new(name, "@/run/file")?.shown(), "@/run/file");
        }
        assert_eq!(Setting::parse("sasl.username=audit")?.shown(), "audit");
        Ok(())
    }

    #[test]
    fn what_the_protocol_depends_on_cannot_be_set() {
        assert!(Setting::parse("enable.auto.commit=true").is_err());
        assert!(Setting::new("group.id", "other").is_err());
        assert!(Setting::parse("nonsense").is_err());
    }

    #[test]
    fn a_protected_setting_is_refused_under_its_other_names_and_both_are_told() {
        for (name, known) in [
            ("request.required.acks", "acks"),
            ("topic.acks", "acks"),
            ("topic.request.required.acks", "acks"),
            ("delivery.timeout.ms", "message.timeout.ms"),
            ("auto.commit.enable", "enable.auto.commit"),
            ("topic.auto.offset.reset", "auto.offset.reset"),
        ] {
            let error = Setting::new(name, "1").map_err(|error| error.to_string());
            let told =
                format!("{name}: another name of {known}, which the exactly-once protocol sets");
            assert_eq!(error, Err(told));
        }
        assert!(Setting::new("topic.metadata.refresh.interval.ms", "5000").is_ok());
    }
}
