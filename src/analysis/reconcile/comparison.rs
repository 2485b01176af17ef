//! Compares two sides, and adds up what came of it.

use std::cmp::Reverse;

use crate::analysis::decimal::Decimal;

/// What came of comparing two sides, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Both sides are there, and further apart than is tolerated.
    Differs,
    /// Only the left side is there.
    LeftOnly,
    /// Only the right side is there.
    RightOnly,
    /// Both sides are there, and as far apart as is tolerated at most.
    Agrees,
}

impl Verdict {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::LeftOnly => "left only",
            Self::RightOnly => "right only",
            Self::Agrees => "agrees",
        }
    }
}

/// Two sides of a thing, one of them at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<S> {
    /// What has these sides.
    pub subject: S,
    /// The left side.
    pub left: Option<Decimal>,
    /// The right side.
    pub right: Option<Decimal>,
    /// What came of it.
    pub verdict: Verdict,
}

impl<S> Comparison<S> {
    /// Left minus right; a side that is not there counts as 0.
    pub fn difference(&self) -> Decimal {
        let side = |side: &Option<Decimal>| side.clone().unwrap_or(Decimal::ZERO);
        &side(&self.left) - &side(&self.right)
    }
}

/// What was compared, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// How many agree.
    pub agree: u64,
    /// How many differ.
    pub differ: u64,
    /// How many have only a left side.
    pub left_only: u64,
    /// How many have only a right side.
    pub right_only: u64,
    /// The sum of all left sides.
    pub left: Decimal,
    /// The sum of all right sides.
    pub right: Decimal,
}

impl Totals {
    /// How many were compared.
    pub fn compared(&self) -> u64 {
        self.agree + self.disagree()
    }

    /// How many do not agree.
    pub fn disagree(&self) -> u64 {
        self.differ + self.left_only + self.right_only
    }
}

/// Compares one after the other.
#[derive(Debug)]
pub struct Reconciliation<S> {
    tolerance: Decimal,
    keeps_all: bool,
    rows: Vec<Comparison<S>>,
    totals: Totals,
}

impl<S: Ord> Reconciliation<S> {
    /// Sides that are at most `tolerance` apart agree. Those that agree are counted; they are kept
    /// where `keeps_all`.
    pub fn new(tolerance: Decimal, keeps_all: bool) -> Self {
        let totals = Totals {
            agree: 0,
            differ: 0,
            left_only: 0,
            right_only: 0,
            left: Decimal::ZERO,
            right: Decimal::ZERO,
        };
        Self { tolerance, keeps_all, rows: Vec::new(), totals }
    }

    /// Compares two sides. What has neither is not compared.
    pub fn add(&mut self, subject: S, left: Option<Decimal>, right: Option<Decimal>) {
        let verdict = match (&left, &right) {
            (None, None) => return,
            (Some(_), None) => Verdict::LeftOnly,
            (None, Some(_)) => Verdict::RightOnly,
            (Some(left), Some(right)) if (left - right).absolute() <= self.tolerance => {
                Verdict::Agrees
            }
            (Some(_), Some(_)) => Verdict::Differs,
        };
        let totals = &mut self.totals;
        *match verdict {
            Verdict::Agrees => &mut totals.agree,
            Verdict::Differs => &mut totals.differ,
            Verdict::LeftOnly => &mut totals.left_only,
            Verdict::RightOnly => &mut totals.right_only,
        } += 1;
        for (total, side) in [(&mut totals.left, &left), (&mut totals.right, &right)] {
            if let Some(side) = side {
                *total += side;
            }
        }
        if self.keeps_all || verdict != Verdict::Agrees {
            self.rows.push(Comparison { subject, left, right, verdict });
        }
    }

    /// What was kept, by its verdict, the largest difference first, then by subject; and the
    /// totals.
    pub fn finish(mut self) -> (Vec<Comparison<S>>, Totals) {
        // Subjects are unique, so that nothing is lost by a sort that takes no memory of its own.
        self.rows.sort_unstable_by(|one, other| {
            let rank = |row: &Comparison<S>| (row.verdict, Reverse(row.difference().absolute()));
            rank(one).cmp(&rank(other)).then_with(|| one.subject.cmp(&other.subject))
        });
        (self.rows, self.totals)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(number: i64) -> Decimal {
        Decimal::parse(&number.to_string()).expect("a number")
    }

    fn reconcile(tolerance: i64, sides: &[(Option<i64>, Option<i64>)]) -> (Vec<String>, Totals) {
        let mut reconciliation = Reconciliation::new(number(tolerance), true);
        for (subject, (left, right)) in sides.iter().enumerate() {
            reconciliation.add(subject, left.map(number), right.map(number));
        }
        let (rows, totals) = reconciliation.finish();
        let told = |row: &Comparison<usize>| {
            format!("{} {} {}", row.subject, row.difference(), row.verdict.name())
        };
        (rows.iter().map(told).collect(), totals)
    }

    #[test]
    fn the_largest_difference_of_each_verdict_stands_first() {
        let sides = [
            (Some(10), Some(10)),
            (Some(5), None),
            (None, Some(9)),
            (None, None),
            (Some(1), Some(3)),
            (Some(-7), None),
            (Some(3), Some(0)),
            (Some(3), Some(1)),
        ];
        let (rows, totals) = reconcile(0, &sides);
        insta::assert_snapshot!(rows.join("\n"), @r"
        6 3 differs
        4 -2 differs
        7 2 differs
        5 -7 left only
        1 5 left only
        2 -9 right only
        0 0 agrees
        ");
        assert_eq!((totals.compared(), totals.disagree()), (7, 6));
        assert_eq!((totals.left, totals.right), (number(15), number(23)));
    }

    #[test]
    fn the_tolerance_is_inclusive_and_of_two_sides_alone() {
        let sides = [(Some(12), Some(10)), (Some(10), Some(13)), (Some(1), None), (Some(0), None)];
        let (rows, _) = reconcile(2, &sides);
        assert_eq!(rows, ["1 -3 differs", "2 1 left only", "3 0 left only", "0 2 agrees"]);
    }

    proptest! {
        #[test]
        fn every_verdict_is_that_of_a_naive_model(
            sides in proptest::collection::vec((proptest::option::of(-20i64..20), proptest::option::of(-20i64..20)), 0..40),
            tolerance in 0i64..10,
        ) {
            let mut expected = Vec::new();
            for (subject, side) in sides.iter().enumerate() {
                match side {
                    (Some(left), Some(right)) if (left - right).abs() <= tolerance => expected.push((3, 0 - (left - right).abs(), subject)),
                    (Some(left), Some(right)) => expected.push((0, -(left - right).abs(), subject)),
                    (Some(left), None) => expected.push((1, -left.abs(), subject)),
                    (None, Some(right)) => expected.push((2, -right.abs(), subject)),
                    (None, None) => {}
                }
            }
            expected.sort_unstable();
            let names = ["differs", "left only", "right only", "agrees"];
            let expected: Vec<_> = expected.into_iter().map(|(verdict, _, subject)| {
                let (left, right) = sides[subject];
                format!("{subject} {} {}", left.unwrap_or(0) - right.unwrap_or(0), names[verdict])
            }).collect();
            let (rows, totals) = reconcile(tolerance, &sides);
            prop_assert_eq!(totals.compared() as usize, expected.len());
            prop_assert_eq!(rows, expected);
            prop_assert_eq!(totals.left, number(sides.iter().filter_map(|side| side.0).sum()));
        }
    }
}
