//! What stands out about a recorded event.

use std::fmt;
use std::str::FromStr;

/// What stands out about a recorded event. Shown as `DLT`, `quarantined`, `DLT quarantined`, or
/// nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Whether it came from a topic of dead letters.
    pub dead_letter: bool,
    /// Whether its record was quarantined.
    pub quarantined: bool,
}

/// A text that is no mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no mark of an event")]
pub struct UnknownMark(String);

impl Mark {
    /// Every mark there is.
    const ALL: [Self; 4] = [
        Self { dead_letter: false, quarantined: false },
        Self { dead_letter: true, quarantined: false },
        Self { dead_letter: false, quarantined: true },
        Self { dead_letter: true, quarantined: true },
    ];

    /// Whether nothing stands out.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The text of the column `mark`; empty where nothing stands out.
    pub fn as_str(self) -> &'static str {
        match (self.dead_letter, self.quarantined) {
            (false, false) => "",
            (true, false) => "DLT",
            (false, true) => "quarantined",
            (true, true) => "DLT quarantined",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Mark {
    type Err = UnknownMark;

    fn from_str(text: &str) -> Result<Self, UnknownMark> {
        let known = Self::ALL.into_iter().find(|mark| mark.as_str() == text);
        known.ok_or_else(|| UnknownMark(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_read_back_from_its_text_and_no_other_text_is_one() {
        for mark in Mark::ALL {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        assert!(["dlt", "quarantined DLT", " "].iter().all(|text| text.parse::<Mark>().is_err()));
    }
}
