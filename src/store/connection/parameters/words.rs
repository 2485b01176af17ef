//! Values that are one word of a few, or a number.

use std::str::FromStr;
use std::time::Duration;

use super::sourced_values::SourcedValues;
use crate::store::error::Error;

/// What a session must be able to do, as libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) enum TargetSession {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

impl TargetSession {
    /// Whether a session is what is asked for.
    pub(in crate::store) fn accepts(self, is_read_only: bool, is_standby: bool) -> bool {
        match self {
            Self::Any => true,
            Self::ReadWrite => !is_read_only,
            Self::ReadOnly => is_read_only,
            Self::Primary => !is_standby,
            Self::Standby | Self::PreferStandby => is_standby,
        }
    }

    /// What it asks for, as it is written.
    pub(in crate::store) fn name(self) -> &'static str {
        TARGET_SESSIONS.iter().find(|(_, target)| *target == self).map_or("any", |(name, _)| name)
    }
}

const TARGET_SESSIONS: [(&str, TargetSession); 6] = [
    ("any", TargetSession::Any),
    ("read-write", TargetSession::ReadWrite),
    ("read-only", TargetSession::ReadOnly),
    ("primary", TargetSession::Primary),
    ("standby", TargetSession::Standby),
    ("prefer-standby", TargetSession::PreferStandby),
];

/// What a session must be able to do.
pub(super) fn target_session(values: &SourcedValues) -> Result<TargetSession, Error> {
    Ok(word(values, "target_session_attrs", &TARGET_SESSIONS)?.unwrap_or_default())
}

/// The meaning of the word that a parameter has.
///
/// # Errors
/// That of [`SourcedValues::refused`], which lists the words.
pub(super) fn word<T: Copy>(
    values: &SourcedValues,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, Error> {
    let Some(text) = values.text(name) else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Err(values.refused(name, &format!("'{text}' is none of {}", words.join(", "))))
        }
    }
}

/// The number that a parameter has.
///
/// # Errors
/// That of [`SourcedValues::refused`].
pub(super) fn number<T: FromStr>(values: &SourcedValues, name: &str) -> Result<Option<T>, Error> {
    let Some(text) = values.text(name) else { return Ok(None) };
    let number = text.trim().parse();
    number.map(Some).map_err(|_| values.refused(name, &format!("'{text}' is no whole number")))
}

/// How many seconds a parameter gives, as far as that is more than none.
///
/// # Errors
/// That of [`SourcedValues::refused`].
pub(super) fn seconds(values: &SourcedValues, name: &str) -> Result<Option<Duration>, Error> {
    let seconds = number::<i32>(values, name)?.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_held_against_what_is_asked_for() {
        // A primary; one whose sessions only read; a standby.
        let servers = [(false, false), (true, false), (true, true)];
        let accepted =
            |target: TargetSession| servers.map(|(reads, stands)| target.accepts(reads, stands));
        assert_eq!(accepted(TargetSession::Any), [true, true, true]);
        assert_eq!(accepted(TargetSession::ReadWrite), [true, false, false]);
        assert_eq!(accepted(TargetSession::ReadOnly), [false, true, true]);
        assert_eq!(accepted(TargetSession::Primary), [true, true, false]);
        assert_eq!(accepted(TargetSession::Standby), [false, false, true]);
        assert_eq!(accepted(TargetSession::PreferStandby), [false, false, true]);
    }
}
