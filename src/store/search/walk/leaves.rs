//! What searches know of the leaves of `event_logs` before they open them: opening one costs a
//! third of a millisecond, and there may be hundreds.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::filter::TimeRange;
use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;
use crate::store::search::walk::cursor::Order;
use crate::time::PostgresMicros;

/// How many ranges of ids a condition names at most: each row is compared with them.
const MOST_RANGES: usize = 16;

/// The leaves, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Leaves(Vec<KnownLeaf>);

/// What is known of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownLeaf {
    /// The first id that it can hold.
    first_id: i64,
    /// One past the last.
    next_id: i64,
    is_sealed: bool,
    times: Times,
    /// Whether it may have rows outside batches.
    may_have_foreign_rows: bool,
}

/// Two times and what lies between them.
pub(in crate::store) type Between = (PostgresMicros, PostgresMicros);

/// A range of time with both of its ends.
pub(in crate::store) fn between(range: &TimeRange) -> Between {
    (
        range.since.map_or(PostgresMicros(i64::MIN), Into::into),
        range.until.map_or(PostgresMicros(i64::MAX), Into::into),
    )
}

/// Which values of `created_at` the rows of a leaf have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    /// Any: rows enter it.
    Open,
    /// Not one: it is closed, and has no rows, or no longer.
    Empty,
    /// None before the first, and none behind the second.
    Between(PostgresMicros, PostgresMicros),
}

/// The ids of leaves that hold nothing of what is searched for, as ranges from an id, inclusive, to
/// another one, exclusive: in their order, none touching the next. What no leaf is known to hold is
/// searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct PassedOver(Vec<(i64, i64)>);

/// Which leaves of a walk are looked into first.
pub(in crate::store) struct FirstLeaves {
    /// All others.
    pub(in crate::store) passed_over: PassedOver,
    /// Whether these are all leaves that the walk may lead through.
    pub(in crate::store) is_all: bool,
}

impl Leaves {
    /// Reads them. In a transaction that reads, this holds for all of its statements: a row that
    /// enters a closed leaf changes what is known of it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn read(session: &Session) -> Result<Self, Error> {
        let sql = "SELECT first_id, next_id, closed_at IS NOT NULL, sealed_at IS NOT NULL, min_created_at, max_created_at,
                          has_foreign_rows, retired_at IS NOT NULL
                     FROM event_log_leaves ORDER BY first_id";
        let leaf = |row: &Row| {
            let times: (Option<_>, Option<_>) = (row.try_get(4)?, row.try_get(5)?);
            let (is_closed, has_foreign_rows): (bool, bool) = (row.try_get(2)?, row.try_get(6)?);
            if row.try_get(7)? {
                return Ok(KnownLeaf {
                    first_id: row.try_get(0)?,
                    next_id: row.try_get(1)?,
                    is_sealed: true,
                    times: Times::Empty,
                    may_have_foreign_rows: false,
                });
            }
            Ok(KnownLeaf {
                first_id: row.try_get(0)?,
                next_id: row.try_get(1)?,
                is_sealed: row.try_get(3)?,
                times: match (is_closed, times) {
                    (false, _) => Times::Open,
                    (true, (Some(min), Some(max))) => Times::Between(min, max),
                    (true, _) => Times::Empty,
                },
                may_have_foreign_rows: !is_closed || has_foreign_rows,
            })
        };
        session.rows("reading what the leaves of event_logs hold", sql, &[], leaf).await.map(Self)
    }

    /// The lowest id of a leaf that lacks the indexes of a sealed one; the highest number there is
    /// where no leaf lacks them.
    pub(in crate::store) fn light_from(&self) -> i64 {
        let light = self.0.iter().find(|leaf| !leaf.is_sealed);
        light.map_or(i64::MAX, |leaf| leaf.first_id)
    }

    /// The first id of the `count` newest sealed leaves; `None` where there are not twice as many.
    pub(in crate::store) fn newest_sealed_from(&self, count: usize) -> Option<i64> {
        let mut sealed: Vec<_> = self.0.iter().filter(|leaf| leaf.is_sealed).collect();
        if sealed.len() < 2 * count {
            return None;
        }
        sealed.sort_by_key(|leaf| -leaf.first_id);
        sealed.get(count.checked_sub(1)?).map(|leaf| leaf.first_id)
    }

    /// The leaves that have no row of such a time: within one of `days`, where there are any, and
    /// within each of `ranges`.
    pub(in crate::store) fn without_times(
        &self,
        ranges: &[Between],
        days: &[Between],
    ) -> PassedOver {
        self.passed_over(|leaf| {
            let overlaps = |range: &Between| leaf.times.overlap(*range);
            ranges.iter().all(overlaps) && (days.is_empty() || days.iter().any(overlaps))
        })
    }

    /// The leaves that have no row outside batches.
    pub(in crate::store) fn without_foreign_rows(&self) -> PassedOver {
        self.passed_over(|leaf| leaf.may_have_foreign_rows)
    }

    /// The `count` leaves that a walk by time comes to first, of those that are not passed over
    /// already.
    pub(in crate::store) fn first_in_time(
        &self,
        order: Order,
        count: usize,
        passed_over: &PassedOver,
    ) -> FirstLeaves {
        self.first_by(count, passed_over, |leaf| match order {
            Order::Newest => leaf.times.last().0.checked_neg().unwrap_or(i64::MAX),
            Order::Oldest => leaf.times.first().0,
        })
    }

    /// The `count` leaves with the highest ids.
    pub(in crate::store) fn last_by_id(&self, count: usize) -> FirstLeaves {
        self.first_by(count, &PassedOver::default(), |leaf| -leaf.first_id)
    }

    fn first_by(
        &self,
        count: usize,
        passed_over: &PassedOver,
        key: impl Fn(&KnownLeaf) -> i64,
    ) -> FirstLeaves {
        let mut leaves: Vec<_> =
            self.0.iter().filter(|leaf| !passed_over.holds(leaf.first_id)).collect();
        leaves.sort_by_key(|leaf| key(leaf));
        let is_all = leaves.len() <= count;
        leaves.truncate(count);
        let passed_over = self.passed_over(|leaf| leaves.contains(&leaf));
        FirstLeaves { passed_over, is_all }
    }

    /// The leaves that a walk by time, which found all that it looks for up to this time, need not
    /// be led through, and those that were passed over before.
    pub(in crate::store) fn behind_time(
        &self,
        order: Order,
        time: PostgresMicros,
        passed_over: &PassedOver,
    ) -> PassedOver {
        self.passed_over(|leaf| {
            let reaches = match order {
                Order::Newest => leaf.times.last() >= time,
                Order::Oldest => leaf.times.first() <= time,
            };
            reaches && !passed_over.holds(leaf.first_id)
        })
    }

    /// The leaves that no batch enters any more, and between which times all of their rows
    /// happened.
    pub(in crate::store) fn closed(&self) -> (PassedOver, Option<Between>) {
        let passed_over = self.passed_over(|leaf| leaf.times == Times::Open);
        let of_rows = self.0.iter().filter_map(|leaf| match leaf.times {
            Times::Between(min, max) => Some((min, max)),
            Times::Open | Times::Empty => None,
        });
        let all = of_rows.reduce(|(min, max), (first, last)| (min.min(first), max.max(last)));
        (passed_over, all)
    }

    /// The leaves below this id.
    pub(in crate::store) fn below_id(&self, id: i64) -> PassedOver {
        self.passed_over(|leaf| leaf.next_id > id)
    }

    /// The leaves that either passes over.
    pub(in crate::store) fn either(&self, one: &PassedOver, other: &PassedOver) -> PassedOver {
        self.passed_over(|leaf| !one.holds(leaf.first_id) && !other.holds(leaf.first_id))
    }

    fn passed_over(&self, is_searched: impl Fn(&KnownLeaf) -> bool) -> PassedOver {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for leaf in self.0.iter().filter(|leaf| !is_searched(leaf)) {
            match ranges.last_mut() {
                Some((_, next_id)) if *next_id == leaf.first_id => *next_id = leaf.next_id,
                _ => ranges.push((leaf.first_id, leaf.next_id)),
            }
        }
        // Of many ranges the smallest are searched nevertheless.
        if ranges.len() >= MOST_RANGES {
            ranges.sort_by_key(|(first_id, next_id)| first_id - next_id);
            ranges.truncate(MOST_RANGES - 1);
            ranges.sort_unstable();
        }
        PassedOver(ranges)
    }
}

impl Times {
    /// The lowest that is possible.
    fn first(self) -> PostgresMicros {
        match self {
            Self::Open => PostgresMicros(i64::MIN),
            Self::Empty => PostgresMicros(i64::MAX),
            Self::Between(min, _) => min,
        }
    }

    /// The highest that is possible.
    fn last(self) -> PostgresMicros {
        match self {
            Self::Open => PostgresMicros(i64::MAX),
            Self::Empty => PostgresMicros(i64::MIN),
            Self::Between(_, max) => max,
        }
    }

    /// Whether a row may lie in the range.
    fn overlap(self, (min, max): Between) -> bool {
        self != Self::Empty && self.last() >= min && self.first() <= max
    }
}

impl PassedOver {
    /// Nothing is passed over.
    #[cfg(test)]
    pub(in crate::store) const NONE: Self = Self(Vec::new());

    fn holds(&self, id: i64) -> bool {
        self.0.iter().any(|(first_id, next_id)| (*first_id..*next_id).contains(&id))
    }

    /// The condition that `row` lies in a leaf that is searched: PostgreSQL does not open the
    /// others. `None` where all are searched.
    pub(in crate::store) fn condition(
        &self,
        row: &str,
        parameters: &mut Parameters,
    ) -> Option<String> {
        let mut ranges = Vec::new();
        // No id is negative.
        let mut from = 0;
        for (first_id, next_id) in &self.0 {
            if from < *first_id {
                let (first, next) =
                    (parameters.bind(from, Type::INT8), parameters.bind(*first_id, Type::INT8));
                ranges.push(format!("{row}.id >= {first} AND {row}.id < {next}"));
            }
            from = *next_id;
        }
        if from == 0 {
            return None;
        }
        ranges.push(format!("{row}.id >= {}", parameters.bind(from, Type::INT8)));
        Some(match ranges.len() {
            1 => ranges.concat(),
            _ => format!("(({}))", ranges.join(") OR (")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::connection::statement::Statement;

    fn time(hour: i64) -> PostgresMicros {
        PostgresMicros(hour * 3_600_000_000)
    }

    fn range(since: Option<i64>, until: Option<i64>) -> Between {
        let instant = |hour: i64| time(hour).instant();
        between(&TimeRange { since: since.map(instant), until: until.map(instant) })
    }

    /// Leaves of ten ids.
    fn leaves(times: &[Times]) -> Leaves {
        let leaf = |(times, first_id): (&Times, i64)| KnownLeaf {
            first_id,
            next_id: first_id + 10,
            is_sealed: *times != Times::Open,
            times: *times,
            may_have_foreign_rows: *times == Times::Open,
        };
        Leaves(times.iter().zip((0..).step_by(10)).map(leaf).collect())
    }

    /// Days, and a leaf that rows enter.
    fn days(count: i64) -> Leaves {
        let closed = (0..count).map(|day| Times::Between(time(day * 24), time(day * 24 + 23)));
        leaves(&closed.chain([Times::Open]).collect::<Vec<_>>())
    }

    #[test]
    fn a_range_of_time_names_the_leaves_that_may_hold_it_and_what_is_unknown() {
        let leaves = days(5);
        let passed_over = leaves.without_times(&[range(Some(30), Some(40))], &[]);
        assert_eq!(passed_over, PassedOver(vec![(0, 10), (20, 50)]));
        let mut parameters = Parameters::default();
        let sql = passed_over.condition("event", &mut parameters).expect("a condition");
        insta::assert_snapshot!(format!("{:?}", Statement { sql, parameters }), @r"
        ((event.id >= $1 AND event.id < $2) OR (event.id >= $3))
        $1 int8 10
        $2 int8 20
        $3 int8 50
        ");
        assert_eq!(leaves.without_times(&[range(None, None)], &[]), PassedOver::default());
        assert_eq!(PassedOver::default().condition("event", &mut Parameters::default()), None);
    }

    #[test]
    fn the_bounds_of_a_leaf_belong_to_it_infinities_and_leaves_without_rows_too() {
        let infinite = Times::Between(PostgresMicros(i64::MIN), PostgresMicros(i64::MAX));
        let leaves = leaves(&[Times::Between(time(1), time(2)), Times::Empty, infinite]);
        let passed = |since, until| leaves.without_times(&[range(since, until)], &[]).0;
        assert_eq!(passed(Some(2), None), [(10, 20)]);
        assert_eq!(passed(None, Some(1)), [(10, 20)]);
        assert_eq!(passed(Some(3), None), [(0, 20)]);
        assert_eq!(passed(None, None), [(10, 20)]);
        assert_eq!(leaves.without_times(&[], &[range(Some(0), Some(2))]).0, [(10, 20)]);
    }

    #[test]
    fn a_walk_comes_first_to_the_leaves_at_its_end_of_time() {
        let leaves = days(5);
        let none = PassedOver::default();
        let first = leaves.first_in_time(Order::Newest, 2, &none);
        assert_eq!((first.passed_over.0, first.is_all), (vec![(0, 40)], false));
        let first = leaves.first_in_time(Order::Oldest, 2, &none);
        assert_eq!(first.passed_over.0, [(10, 50)]);
        assert!(leaves.first_in_time(Order::Oldest, 6, &none).is_all);
        let without = PassedOver(vec![(0, 30)]);
        let first = leaves.first_in_time(Order::Oldest, 2, &without);
        assert_eq!(first.passed_over.0, [(0, 30), (40, 50)]);
        assert_eq!(leaves.behind_time(Order::Newest, time(71), &none).0, [(0, 20)]);
        assert_eq!(leaves.behind_time(Order::Oldest, time(24), &none).0, [(20, 50)]);
        assert_eq!(leaves.last_by_id(2).passed_over.0, [(0, 40)]);
        assert_eq!(leaves.below_id(40).0, [(0, 40)]);
    }

    #[test]
    fn only_the_largest_of_many_ranges_are_passed_over() {
        let scattered: Vec<_> = (0..100)
            .map(|number| if number % 3 == 0 { Times::Open } else { Times::Empty })
            .collect();
        let passed_over = leaves(&scattered).without_times(&[range(None, None)], &[]);
        assert_eq!(passed_over.0.len(), MOST_RANGES - 1);
        assert!(passed_over.0.is_sorted());
        assert!(passed_over.0.iter().all(|(first_id, next_id)| next_id - first_id == 20));
    }

    #[test]
    fn the_newest_sealed_leaves_are_told_where_there_are_many_more() {
        assert_eq!(days(9).newest_sealed_from(2), Some(70));
        assert_eq!(days(4).newest_sealed_from(2), Some(20));
        assert_eq!(days(3).newest_sealed_from(2), None);
    }

    #[test]
    fn look_ups_end_where_the_first_leaf_is_not_sealed() {
        assert_eq!(days(5).light_from(), 50);
        assert_eq!(leaves(&[Times::Empty]).light_from(), i64::MAX);
        assert_eq!(days(2).without_foreign_rows().0, [(0, 20)]);
    }
}
