//! Where each part of the settings comes from.

/// Where a part of the settings comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ParameterSource {
    /// The URL.
    #[default]
    Url,
    /// The caller, beside the URL.
    Given,
    /// An environment variable.
    Variable(&'static str),
    /// `~/.pgpass`.
    PasswordFile,
    /// Nowhere: it is the default.
    Default,
}

/// The source of each part.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct ParameterSources {
    pub(in crate::store) host: ParameterSource,
    pub(in crate::store) port: ParameterSource,
    pub(in crate::store) user: ParameterSource,
    pub(in crate::store) database: ParameterSource,
    pub(in crate::store) password: ParameterSource,
    /// Of `Tls::PARAMETERS`.
    pub(in crate::store) tls: [ParameterSource; 4],
}
