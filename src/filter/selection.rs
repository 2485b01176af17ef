//! The parsed selectors.

use super::error::Error;
use super::glob::Glob;
use super::identifier::Identifier;
use super::time::{TimeRange, rfc3339};

/// Which rows are meant: the parsed selectors. The default selects every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--type`.
    pub event_types: Vec<Glob>,
    /// `--service`.
    pub services: Vec<Glob>,
    /// `--aggregate`, as typed: text that is no UUID is mapped as the ingester maps it.
    pub aggregates: Vec<String>,
    /// `--correlation`, likewise.
    pub correlations: Vec<String>,
    /// `--event-id`.
    pub event_ids: Vec<Identifier>,
    /// `--dlt` (true) and `--no-dlt` (false).
    pub dead_letters: Option<bool>,
    /// `--quarantined`.
    pub quarantined: bool,
    /// `--since` and `--until`, about `created_at`.
    pub created: TimeRange,
    /// `--date`, about `created_at`.
    pub days: Vec<TimeRange>,
    /// `--recorded-since` and `--recorded-until`, about the batch's `recorded_at`.
    pub recorded: TimeRange,
    /// `--where`: SQL/JSON path predicates on the payload, as PostgreSQL's operator `@@` takes
    /// them.
    pub payload_predicates: Vec<String>,
    /// `--error`: exception class or message of a dead letter.
    pub errors: Vec<Glob>,
    /// `--topic`.
    pub topics: Vec<Glob>,
}

impl Selection {
    /// Fails where a range can hold nothing, because its end isn't after its beginning.
    ///
    /// # Errors
    /// `Error::EmptyRange`.
    pub fn check(&self) -> Result<(), Error> {
        for range in [&self.created, &self.recorded] {
            if let (Some(since), Some(until)) = (range.since, range.until)
                && since >= until
            {
                return Err(Error::EmptyRange { since: rfc3339(since), until: rfc3339(until) });
            }
        }
        Ok(())
    }

    /// The ranges of time in words, resolved to UTC, for the user to see how the words were
    /// understood.
    pub fn describe_times(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.created.is_unbounded() {
            lines.push(self.created.describe("created_at"));
        }
        if !self.days.is_empty() {
            let days: Vec<_> = self.days.iter().map(|day| day.describe("created_at")).collect();
            lines.push(days.join(" or "));
        }
        if !self.recorded.is_unbounded() {
            lines.push(self.recorded.describe("recorded_at"));
        }
        lines
    }

    /// Whether `--where` has to read every row that the other selectors leave, because no other one
    /// narrows the search.
    pub fn scans(&self) -> bool {
        let unindexed = Self {
            payload_predicates: Vec::new(),
            dead_letters: self.dead_letters.filter(|dead_letters| *dead_letters),
            ..self.clone()
        };
        !self.payload_predicates.is_empty() && unindexed == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Clock, Zone};

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let clock = Clock { now: chrono::DateTime::UNIX_EPOCH, zone: Zone::utc() };
        let range = |since: &str, until: &str| TimeRange {
            since: clock.time(since).ok(),
            until: clock.time(until).ok(),
        };
        let selection =
            Selection { created: range("2026-11-22", "2026-11-22"), ..Selection::default() };
        assert_eq!(
            selection.check().map_err(|error| error.to_string()),
            Err("the range is empty: it begins at 2026-11-22T00:00:00Z and ends before 2026-11-22T00:00:00Z"
                .to_owned())
        );
        let selection =
            Selection { recorded: range("2026-11-22", "2026-11-23"), ..Selection::default() };
        assert_eq!(selection.check(), Ok(()));
        assert_eq!(
            selection.describe_times(),
            ["2026-11-22T00:00:00Z ≤ recorded_at < 2026-11-23T00:00:00Z"]
        );
    }

    #[test]
    fn a_predicate_on_the_payload_scans_unless_another_selector_narrows_it() {
        let predicate =
            Selection { payload_predicates: vec!["$.a == 1".to_owned()], ..Selection::default() };
        assert!(predicate.scans());
        assert!(Selection { dead_letters: Some(false), ..predicate.clone() }.scans());
        assert!(!Selection { dead_letters: Some(true), ..predicate.clone() }.scans());
        assert!(!Selection { event_types: vec![Glob::new("A")], ..predicate }.scans());
        assert!(!Selection::default().scans());
    }
}
