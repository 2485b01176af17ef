//! `--compare`: the other period.

use crate::cli::ui::Failure;
use crate::filter::{Clock, Error, Selection, TimeRange, rfc3339};
use crate::store::Grouping;

/// The word for as long a time, right before.
pub(super) const PREVIOUS: &str = "previous";

/// The selection of the period that `selection` is compared with: `previous`, a date, or `A..B`.
pub(super) fn before(
    text: &str,
    selection: &Selection,
    clock: &Clock,
) -> Result<Selection, Failure> {
    let created = match text.split_once("..") {
        _ if text.trim() == PREVIOUS => previous(selection)?,
        Some((since, until)) => between(since, until, clock).map_err(|error| wrong(&error))?,
        None => clock.day(text).map_err(|_| {
            Failure::usage(format!("--compare: '{text}' is no period"))
                .with_hint("write 'previous', '2026-11-22', 'yesterday', or 'A..B' with times")
        })?,
    };
    Ok(Selection { created, days: Vec::new(), ..selection.clone() })
}

/// Says what can't be compared: a time that comes once is in one of the periods only.
pub(super) fn check_keys(by: &[Grouping]) -> Result<(), Failure> {
    match by.iter().find(|grouping| grouping.is_moment()) {
        None => Ok(()),
        Some(moment) => Err(Failure::usage(format!(
            "--compare: no {} is in both periods; --by hour-of-day can be compared",
            moment.name()
        ))),
    }
}

fn previous(selection: &Selection) -> Result<TimeRange, Failure> {
    let TimeRange { since: Some(since), until: Some(until) } = selection.created else {
        return Err(Failure::usage("--compare previous needs --since: how long the period is"));
    };
    if !selection.days.is_empty() {
        return Err(Failure::usage("--compare previous takes no --date; name the other one")
            .with_hint("--date today --compare yesterday"));
    }
    let begin = since.checked_sub_signed(until - since).ok_or_else(|| {
        Failure::usage("--compare previous: there is no time so long before --since")
    })?;
    Ok(TimeRange { since: Some(begin), until: Some(since) })
}

fn between(since: &str, until: &str, clock: &Clock) -> Result<TimeRange, Error> {
    let (since, until) = (clock.time(since)?, clock.time(until)?);
    if since >= until {
        return Err(Error::EmptyRange {
            options: "the two ends",
            since: rfc3339(since),
            until: rfc3339(until),
        });
    }
    Ok(TimeRange { since: Some(since), until: Some(until) })
}

fn wrong(error: &Error) -> Failure {
    Failure::usage(format!("--compare: {error}"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").with_timezone(&Utc)
    }

    fn compared(text: &str, since: Option<&str>, days: &[&str]) -> String {
        let clock = Clock {
            now: instant("2026-11-22T10:00:00Z"),
            zone: "Europe/Berlin".parse().expect("a zone"),
        };
        let selection = Selection {
            created: TimeRange { since: since.map(instant), until: Some(clock.now) },
            days: days.iter().flat_map(|day| clock.day(day)).collect(),
            ..Selection::default()
        };
        match before(text, &selection, &clock) {
            Ok(other) => other.describe_times().join(", "),
            Err(failure) => failure.message().to_owned(),
        }
    }

    #[test]
    fn the_previous_period_is_as_long_and_ends_where_this_one_begins() {
        assert_eq!(
            compared("previous", Some("2026-11-20T10:00:00Z"), &[]),
            "2026-11-18T10:00:00Z ≤ created_at < 2026-11-20T10:00:00Z"
        );
        assert_eq!(
            compared("previous", None, &[]),
            "--compare previous needs --since: how long the period is"
        );
    }

    #[test]
    fn a_day_is_one_of_the_zone_and_two_times_are_a_range() {
        let day = "2026-11-20T23:00:00Z ≤ created_at < 2026-11-21T23:00:00Z";
        assert_eq!(compared("yesterday", None, &["today"]), day);
        assert_eq!(compared("2026-11-21..2026-11-22", None, &[]), day);
        assert_eq!(
            compared("-3d..-2d", None, &[]),
            "2026-11-19T10:00:00Z ≤ created_at < 2026-11-20T10:00:00Z"
        );
    }

    #[test]
    fn what_is_no_period_is_named() {
        assert_eq!(compared("lately", None, &[]), "--compare: 'lately' is no period");
        assert_eq!(
            compared("-1d..-2d", None, &[]),
            "--compare: the two ends leave nothing: 2026-11-21T10:00:00Z is not before 2026-11-20T10:00:00Z"
        );
        assert!(compared("a..b", None, &[]).starts_with("--compare: 'a' is no time"));
    }
}
