//! What can go wrong with Kafka, in words that name the thing and the next step.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::refusals::Cause;

/// An error of Kafka. librdkafka's texts name brokers and settings, never the values of secret
/// settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A `-X` setting can't be used.
    #[error("{0}")]
    Setting(String),
    /// The brokers can't be used as they were given.
    #[error("brokers: {0}")]
    Brokers(String),
    /// A request or the client itself failed.
    #[error("{what}: {}", describe(.source))]
    Client {
        /// What was being done, as a fragment: "reading the end offset of orders.events [2]".
        what: String,
        /// What librdkafka said.
        source: KafkaError,
    },
    /// No broker answered in time.
    #[error("no Kafka broker answers at {brokers}{}", behind_colon(.reason.as_deref()))]
    Unreachable {
        /// The bootstrap servers.
        brokers: String,
        /// What librdkafka says about it, where it says something.
        reason: Option<String>,
    },
    /// The thread that waited for an answer ended.
    #[error("a request to Kafka was cut off: {0}")]
    CutOff(String),
    /// A topic could not be read to its end.
    #[error("{topic} could not be read to its end: a partition gave no answer")]
    Search {
        /// The topic.
        topic: String,
    },
    /// The broker does not say which cluster it belongs to.
    #[error("the Kafka cluster at {brokers} doesn't tell its id")]
    NoClusterId {
        /// The bootstrap servers.
        brokers: String,
    },
}

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn client(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let what = what.into();
        move |source| Self::Client { what, source }
    }

    /// A setting that librdkafka does not take.
    pub(super) fn of_setting(error: &KafkaError) -> Self {
        Self::Setting(describe(error))
    }

    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { reason: Some(reason), .. } => Some(Cause::of(reason).hint()),
            Self::Unreachable { .. } | Self::NoClusterId { .. } => Some(Cause::Network.hint()),
            Self::Brokers(_) => Some(
                "write host:port,host:port; TLS and SASL are set by -X security.protocol=SASL_SSL \
                 and the like, or in [profiles.NAME.kafka]",
            ),
            Self::Setting(_) => Some(
                "write KEY=VALUE, or KEY=@FILE, which reads the value from a file; librdkafka's \
                 CONFIGURATION.md lists every setting",
            ),
            Self::Search { .. } => {
                Some("check that every partition of it has a leader, then try again")
            }
            Self::Client {
                source: KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_),
                ..
            } => Some(
                "it is set by -X, or in [profiles.NAME.kafka] of the configuration file; librdkafka's \
                 CONFIGURATION.md lists every setting",
            ),
            Self::Client { .. } | Self::CutOff(_) => None,
        }
    }

    /// Whether a setting is wrong: as long as that is so, nothing else can be tried.
    pub fn is_of_settings(&self) -> bool {
        match self {
            Self::Brokers(_) | Self::Setting(_) => true,
            Self::Client { source, .. } => {
                matches!(source, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_))
            }
            _ => false,
        }
    }

    /// librdkafka's error code, where there is one.
    pub fn code(&self) -> Option<RDKafkaErrorCode> {
        match self {
            Self::Client { source, .. } => source.rdkafka_error_code(),
            _ => None,
        }
    }
}

fn behind_colon(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn describe(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, reason, name, _) => format!("{name}: {reason}"),
        other => match other.rdkafka_error_code() {
            Some(code) => code.to_string(),
            None => other.to_string(),
        },
    }
}
