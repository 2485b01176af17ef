//! Ranges of time, cut where hours and days begin.

use crate::filter::TimeRange;
use crate::time::PostgresMicros;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// A day in microseconds.
const DAY: i64 = 24 * HOUR;

/// From `since`, inclusive, until `until`, exclusive; without a bound to the end, the infinities
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) since: Option<PostgresMicros>,
    pub(super) until: Option<PostgresMicros>,
}

/// A selection's time, cut into what can be counted as a whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// From midnight to midnight.
    pub(super) days: Vec<Span>,
    /// Other whole hours.
    pub(super) hours: Vec<Span>,
    /// What is no whole hour.
    pub(super) edges: Vec<Span>,
}

/// The time that lies in `created` and, where there are days, in one of these: in the order of
/// time, each instant once.
pub(super) fn spans(created: &TimeRange, days: &[TimeRange]) -> Vec<Span> {
    let created = Span::of(created);
    if days.is_empty() {
        return vec![created];
    }
    let mut spans: Vec<_> =
        days.iter().filter_map(|day| created.intersection(Span::of(day))).collect();
    // None, the beginning of time, is the lowest.
    spans.sort_by_key(|span| span.since);
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if last.until.is_none_or(|until| Some(until) >= span.since) => {
                last.until = last.until.zip(span.until).map(|(one, other)| one.max(other));
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// Cuts them. Without `with_days` days are cut into hours, too.
pub(super) fn cut(spans: &[Span], with_days: bool) -> Cut {
    let mut cut = Cut::default();
    for span in spans {
        let (days, rest) = if with_days { span.cut(DAY) } else { (None, vec![*span]) };
        cut.days.extend(days);
        for piece in rest {
            let (hours, edges) = piece.cut(HOUR);
            cut.hours.extend(hours);
            cut.edges.extend(edges);
        }
    }
    cut
}

impl Span {
    fn of(range: &TimeRange) -> Self {
        Self { since: range.since.map(Into::into), until: range.until.map(Into::into) }
    }

    fn intersection(self, other: Self) -> Option<Self> {
        let since = self.since.max(other.since);
        let until = [self.until, other.until].into_iter().flatten().min();
        let is_empty = since.zip(until).is_some_and(|(since, until)| since >= until);
        (!is_empty).then_some(Self { since, until })
    }

    /// What of it is whole units, and what lies before and behind.
    fn cut(self, unit: i64) -> (Option<Self>, Vec<Self>) {
        let begin = |time: i64| time.div_euclid(unit) * unit;
        let first = self.since.map(|since| PostgresMicros(begin(since.0.saturating_add(unit - 1))));
        let last = self.until.map(|until| PostgresMicros(begin(until.0)));
        if first.zip(last).is_some_and(|(first, last)| first >= last) {
            return (None, vec![self]);
        }
        let before = Self { since: self.since, until: first };
        let behind = Self { since: last, until: self.until };
        let edges = [before, behind].into_iter().filter(|edge| edge.since != edge.until).collect();
        (Some(Self { since: first, until: last }), edges)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::*;

    fn range(since: Option<i64>, until: Option<i64>) -> TimeRange {
        let time = |micros: i64| DateTime::<Utc>::from_timestamp_micros(micros);
        TimeRange { since: since.and_then(time), until: until.and_then(time) }
    }

    fn holds(spans: &[Span], time: i64) -> usize {
        let is_in = |span: &&Span| {
            span.since.is_none_or(|since| since.0 <= time)
                && span.until.is_none_or(|until| time < until.0)
        };
        spans.iter().filter(is_in).count()
    }

    #[test]
    fn everything_is_whole_days() {
        let everything = spans(&range(None, None), &[]);
        assert_eq!(cut(&everything, true).days, [Span { since: None, until: None }]);
        let cut = cut(&everything, false);
        assert_eq!((cut.days.len(), cut.hours.len(), cut.edges.len()), (0, 1, 0));
    }

    #[test]
    fn a_range_within_an_hour_is_an_edge() {
        let span = spans(&range(Some(60_000_000), Some(120_000_000)), &[]);
        let cut = cut(&span, true);
        assert_eq!((cut.days, cut.hours, cut.edges), (vec![], vec![], span));
    }

    proptest! {
        #[test]
        fn each_selected_instant_lies_in_one_piece_and_no_other_does(
            since in proptest::option::of(-200i64..200), length in proptest::option::of(1i64..300),
            days in prop::collection::vec((-8i64..8, 1i64..3), 0..4), with_days: bool,
            at in -12_000i64..12_000,
        ) {
            // Quarters of an hour, some of them a second off.
            let quarter = |number: i64| number * HOUR / 4 + i64::from(number % 3 == 0) * 1_000_000;
            let until = since.zip(length).map(|(since, length)| quarter(since + length));
            let created = range(since.map(quarter), until);
            let days: Vec<_> = days
                .iter()
                .map(|(day, length)| range(Some(day * DAY + HOUR / 2), Some((day + length) * DAY + HOUR / 2)))
                .collect();
            let time = PostgresMicros::from(crate::time::UnixMicros(at * 60_000_000));
            let is_in = |range: &TimeRange| {
                let unix = at * 60_000_000;
                range.since.is_none_or(|since| since.timestamp_micros() <= unix)
                    && range.until.is_none_or(|until| unix < until.timestamp_micros())
            };
            let expected = is_in(&created) && (days.is_empty() || days.iter().any(is_in));
            let cut = cut(&spans(&created, &days), with_days);
            let found = [&cut.days, &cut.hours, &cut.edges].map(|spans| holds(spans, time.0));
            prop_assert_eq!(found.iter().sum::<usize>(), usize::from(expected));
            for (spans, unit) in [(&cut.days, DAY), (&cut.hours, HOUR)] {
                for bound in spans.iter().flat_map(|span| [span.since, span.until]).flatten() {
                    prop_assert_eq!(bound.0 % unit, 0);
                }
            }
        }
    }
}
