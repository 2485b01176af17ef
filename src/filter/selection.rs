//! The parsed selectors.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::glob_list::GlobList;
use super::identifier::Identifier;
use super::time::{TimeRange, rfc3339};

/// Which rows are meant: the parsed selectors. The default selects every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--type`.
    pub event_types: GlobList,
    /// `--service`.
    pub services: GlobList,
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
    pub errors: GlobList,
    /// `--topic`.
    pub topics: GlobList,
}

impl Selection {
    /// Fails where a range can hold nothing, because its end isn't after its beginning.
    ///
    /// # Errors
    /// `Error::EmptyRange`.
    pub fn check(&self) -> Result<(), Error> {
        for (range, options) in [
            (&self.created, "--since and --until"),
            (&self.recorded, "--recorded-since and --recorded-until"),
        ] {
            if let (Some(since), Some(until)) = (range.since, range.until)
                && since >= until
            {
                let (since, until) = (rfc3339(since), rfc3339(until));
                return Err(Error::EmptyRange { options, since, until });
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

    /// The options whose range begins behind `now`, for the user to see that hardly anything can
    /// be there.
    pub fn beginnings_after(&self, now: DateTime<Utc>) -> Vec<&'static str> {
        [(&self.created, "--since"), (&self.recorded, "--recorded-since")]
            .into_iter()
            .filter(|(range, _)| range.since.is_some_and(|since| since > now))
            .map(|(_, option)| option)
            .collect()
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
            Err("--since and --until leave nothing: 2026-11-22T00:00:00Z is not before 2026-11-22T00:00:00Z"
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
    fn a_range_that_begins_in_the_future_is_noticed() {
        let now = chrono::DateTime::UNIX_EPOCH;
        let later = TimeRange { since: Some(now + chrono::Duration::seconds(1)), until: None };
        let selection = Selection { created: later, ..Selection::default() };
        assert_eq!(selection.beginnings_after(now), ["--since"]);
        let selection = Selection { recorded: later, ..Selection::default() };
        assert_eq!(selection.beginnings_after(now), ["--recorded-since"]);
        assert!(Selection::default().beginnings_after(now).is_empty());
    }

    #[test]
    fn a_predicate_on_the_payload_scans_unless_another_selector_narrows_it() {
        let predicate =
            Selection { payload_predicates: vec!["$.a == 1".to_owned()], ..Selection::default() };
        assert!(predicate.scans());
        assert!(Selection { dead_letters: Some(false), ..predicate.clone() }.scans());
        assert!(!Selection { dead_letters: Some(true), ..predicate.clone() }.scans());
        assert!(
            !Selection { event_types: GlobList::new(["A"]).expect("an item"), ..predicate }.scans()
        );
        assert!(!Selection::default().scans());
    }
}
