//! Whether to colour.

use std::io::IsTerminal;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to `stream`.
    pub(super) fn is_on(self, stream: &impl IsTerminal) -> bool {
        let is_set = |name: &str, accepts: fn(&str) -> bool| {
            std::env::var_os(name).is_some_and(|value| accepts(&value.to_string_lossy()))
        };
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                stream.is_terminal()
                    && !is_set("NO_COLOR", |value| !value.is_empty())
                    && !is_set("TERM", |value| value == "dumb")
            }
        }
    }
}
