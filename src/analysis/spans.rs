//! Many spans of time in little room.

use super::percentile::{Fraction, percentile_at};

/// Spans of time, each to the microsecond. One below 71 minutes takes four bytes, another eight:
/// ten million of them have room.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    short: Vec<u32>,
    long: Vec<i64>,
}

impl Spans {
    /// Adds one, in microseconds. Steps are in the order of their times, so that it is never
    /// negative.
    pub fn push(&mut self, microseconds: i64) {
        match u32::try_from(microseconds.max(0)) {
            Ok(short) => self.short.push(short),
            Err(_) => self.long.push(microseconds),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// The percentiles, in microseconds; `None` where there are no spans.
    pub fn percentiles<const N: usize>(mut self, fractions: [Fraction; N]) -> Option<[i64; N]> {
        self.short.sort_unstable();
        self.long.sort_unstable();
        let mut found = [0; N];
        for (place, fraction) in found.iter_mut().zip(fractions) {
            *place = percentile_at(self.count(), fraction, |index| self.at(index))?;
        }
        Some(found)
    }

    /// The one at a place, where both parts are sorted: every short one is below every long one.
    fn at(&self, index: usize) -> Option<i64> {
        match self.short.get(index) {
            Some(short) => Some(i64::from(*short)),
            None => self.long.get(index - self.short.len()).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::percentile;

    proptest::proptest! {
        #[test]
        fn percentiles_are_those_of_all_spans_short_and_long(
            mut values in proptest::collection::vec(
                proptest::prop_oneof![0i64..100, 4_294_967_290i64..4_294_967_300, 0i64..i64::MAX],
                0..40,
            )
        ) {
            let mut spans = Spans::default();
            values.iter().for_each(|value| spans.push(*value));
            proptest::prop_assert_eq!(spans.count(), values.len());
            values.sort_unstable();
            let expected = [Fraction::P50, Fraction::P95].map(|part| percentile(&values, part));
            let found = spans.percentiles([Fraction::P50, Fraction::P95]);
            proptest::prop_assert_eq!(found.map(|found| found.map(Some)), expected[0].map(|_| expected));
        }
    }
}
