//! What became of a replay, as far as the audit can see.

use std::fmt;
use std::str::FromStr;

/// What became of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// It is not known yet whether it was sent.
    Pending,
    /// Kafka has it.
    Sent,
    /// Kafka does not have it.
    Failed,
    /// Kafka has it, and it was dead-lettered again.
    Returned,
    /// Kafka has it, and a later event was caused by it.
    Processed,
}

/// A text that is no state of a replay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no state of a replay")]
pub struct UnknownReplayState(String);

impl ReplayState {
    /// Every state there is.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Sent, Self::Failed, Self::Returned, Self::Processed];

    /// The word for it in the database and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Processed => "processed",
        }
    }
}

impl fmt::Display for ReplayState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ReplayState {
    type Err = UnknownReplayState;

    fn from_str(text: &str) -> Result<Self, UnknownReplayState> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| UnknownReplayState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_from_its_word_and_an_unknown_word_is_named() {
        for state in ReplayState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        let error = "Sent".parse::<ReplayState>().expect_err("states are in lower case");
        assert_eq!(error.to_string(), "'Sent' is no state of a replay");
    }
}
