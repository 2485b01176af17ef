//! How a command ends.

use std::process::ExitCode;

/// The exit codes, a contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// Nothing matched, and `--fail-on-empty` was given; or a thing asked for by name does not
    /// exist.
    NothingMatched = 3,
    /// The record has a gap or a loss, or not all of it could be checked.
    Incomplete = 4,
    /// A row is doubled, changed, or unknown to the ledger.
    Altered = 5,
    /// Interrupted before it was done.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
