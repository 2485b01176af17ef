//! How far the server's certificate is checked.

/// How far the server's certificate is checked, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS only where the server does not let this user in without it.
    Allow,
    /// No TLS only where the server has none, or does not let this user in with it.
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl TlsMode {
    /// Each with its name.
    pub(in crate::store) const NAMES: [(&str, Self); 6] = [
        ("disable", Self::Disable),
        ("allow", Self::Allow),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    /// As it is written.
    pub(in crate::store) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, mode)| *mode == self).map_or("prefer", |(name, _)| name)
    }

    /// Whether there is no connection without TLS.
    pub(in crate::store) fn is_required(self) -> bool {
        matches!(self, Self::Require | Self::VerifyCa | Self::VerifyFull)
    }
}
