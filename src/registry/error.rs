//! Why a schema registry gave no answer.

use std::time::Duration;

/// Why a schema registry gave no answer. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL can't be used.
    #[error("{0}")]
    Url(String),
    /// The file of certificates can't be used.
    #[error("schema_registry_ca_file {path}: {reason}")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The client can't be made.
    #[error("can't make a client for {url}: {reason}")]
    Client {
        /// The registry.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// It does not answer now, or with nothing that a registry would say.
    #[error("{url}: {reason}")]
    Unavailable {
        /// What was asked for.
        url: String,
        /// What happened instead.
        reason: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It refuses, which waiting does not mend.
    #[error("the schema registry refuses {url}: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// What it says.
        reason: String,
        /// Whether it asks who is there.
        needs_login: bool,
    },
}

impl Error {
    /// Whether the same can succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether it is about what was configured.
    pub fn is_of_settings(&self) -> bool {
        matches!(self, Self::Url(_) | Self::CaFile { .. } | Self::Client { .. })
    }

    /// How long the registry asks to be left alone, a minute at most.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unavailable { reason, .. } if reason.contains("certificate") => Some(
                "name the certificate of who signed the registry's: schema_registry_ca_file in a \
                 profile",
            ),
            Self::Unavailable { .. } => Some(
                "check --schema-registry; a registry below a path needs it, such as \
                 http://host:8080/apis/ccompat/v7",
            ),
            Self::Refused { needs_login: true, .. } => Some(
                "check the user and the password: AUDIT_SCHEMA_REGISTRY_PASSWORD, or \
                 schema_registry_user and schema_registry_password_file in a profile",
            ),
            Self::Refused { .. } => {
                Some("check --schema-registry: is the path right? Apicurio's is /apis/ccompat/v7")
            }
            Self::CaFile { .. } => Some(
                "schema_registry_ca_file of the profile has to name a file of certificates in PEM",
            ),
            Self::Url(_) | Self::Client { .. } => None,
        }
    }
}
