//! Percentiles as SQL's `percentile_cont` has them: interpolated between the two nearest values.

/// A share of 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction(u8);

impl Fraction {
    /// The median.
    pub const P50: Self = Self(50);
    /// Nineteen of twenty are at most this.
    pub const P95: Self = Self(95);
    /// 99 of a hundred are at most this.
    pub const P99: Self = Self(99);
}

/// The percentile of sorted values, rounded to a whole one (half away from zero); `None` where
/// there are no values.
pub fn percentile(sorted: &[i64], fraction: Fraction) -> Option<i64> {
    percentile_at(sorted.len(), fraction, |index| sorted.get(index).copied())
}

/// The same of `count` sorted values, wherever they are.
pub(super) fn percentile_at(
    count: usize,
    fraction: Fraction,
    value_at: impl Fn(usize) -> Option<i64>,
) -> Option<i64> {
    let last = count.checked_sub(1)?;
    let position = last as u128 * u128::from(fraction.0);
    let (below, rest) = ((position / 100) as usize, (position % 100) as i128);
    let low = i128::from(value_at(below)?);
    let high = i128::from(value_at(last.min(below + 1))?);
    // Values are sorted, so that the distance is never negative.
    let value = low * 100 + (high - low) * rest;
    let half = if value < 0 { -50 } else { 50 };
    i64::try_from((value + half) / 100).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_values_it_is_interpolated() {
        assert_eq!(percentile(&[1, 2, 3, 10], Fraction::P50), Some(3));
        assert_eq!(percentile(&[0, 100], Fraction::P95), Some(95));
        assert_eq!(percentile(&[-3, -2], Fraction::P50), Some(-3));
        assert_eq!(percentile(&[7], Fraction::P99), Some(7));
        assert_eq!(percentile(&[], Fraction::P50), None);
        assert_eq!(percentile(&[i64::MIN, i64::MAX], Fraction::P50), Some(-1));
    }

    proptest::proptest! {
        #[test]
        fn it_lies_where_the_definition_says(mut values in proptest::collection::vec(-1_000_000i64..1_000_000, 1..50)) {
            values.sort_unstable();
            let position = 0.95 * (values.len() - 1) as f64;
            let (low, high) = (values[position.floor() as usize], values[position.ceil() as usize]);
            let expected = low as f64 + (high - low) as f64 * position.fract();
            let found = percentile(&values, Fraction::P95).expect("there are values");
            proptest::prop_assert!((found as f64 - expected).abs() <= 0.51, "{found} {expected}");
        }
    }
}
