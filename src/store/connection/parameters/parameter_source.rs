//! Where each part of the settings comes from.

/// Where a part of the settings comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterSource {
    /// The URL.
    Url,
    /// The caller, beside the URL.
    Given,
    /// The service that the URL or `PGSERVICE` names, in its file.
    Service,
    /// An environment variable.
    Variable(&'static str),
    /// `~/.pgpass`.
    PasswordFile,
    /// A file that is there, in `~/.postgresql`.
    UsualFile,
    /// Nowhere: it is the default.
    Default,
}
