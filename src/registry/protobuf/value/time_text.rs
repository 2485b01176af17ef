//! Points in time and durations as the JSON mapping writes them.

use chrono::DateTime;

/// The first and the last second that a Timestamp may have: the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The most seconds that a Duration may have, in both directions: some 10,000 years.
const MAX_DURATION: i64 = 315_576_000_000;

const NANOS_OF_SECOND: i32 = 1_000_000_000;

/// `2026-11-22T10:00:00.123Z`; `None` for what the mapping has no form for.
pub(super) fn timestamp(seconds: i64, nanos: i32) -> Option<String> {
    if !SECONDS.contains(&seconds) || !(0..NANOS_OF_SECOND).contains(&nanos) {
        return None;
    }
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(format!("{}{}Z", time.format("%Y-%m-%dT%H:%M:%S"), fraction(nanos.unsigned_abs())))
}

/// `-1.500s`; `None` for what the mapping has no form for.
pub(super) fn duration(seconds: i64, nanos: i32) -> Option<String> {
    let signs_differ = (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0);
    if seconds.unsigned_abs() > MAX_DURATION.unsigned_abs()
        || nanos.unsigned_abs() >= NANOS_OF_SECOND.unsigned_abs()
        || signs_differ
    {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    Some(format!("{sign}{}{}s", seconds.unsigned_abs(), fraction(nanos.unsigned_abs())))
}

/// Nothing, or 3, 6 or 9 digits behind a point, as many as it needs.
fn fraction(nanos: u32) -> String {
    match nanos {
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, timestamp};

    #[test]
    fn timestamps_have_as_many_digits_as_they_need() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_795_341_600, 123_000_000, "2026-11-22T10:00:00.123Z"),
            (1_795_341_600, 123_456_000, "2026-11-22T10:00:00.123456Z"),
            (1_795_341_600, 1, "2026-11-22T10:00:00.000000001Z"),
            (-1, 999_000_000, "1969-12-31T23:59:59.999Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
            (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(timestamp(seconds, nanos).as_deref(), Some(text));
        }
    }

    #[test]
    fn durations_have_a_sign_and_as_many_digits_as_they_need() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (1, 500_000_000, "1.500s"),
            (-1, -500_000, "-1.000500s"),
            (0, -1, "-0.000000001s"),
            (315_576_000_000, 999_999_999, "315576000000.999999999s"),
        ] {
            assert_eq!(duration(seconds, nanos).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_out_of_range_has_no_text() {
        for (seconds, nanos) in
            [(-62_135_596_801, 0), (253_402_300_800, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000)]
        {
            assert_eq!(timestamp(seconds, nanos), None);
        }
        for (seconds, nanos) in [
            (315_576_000_001, 0),
            (i64::MIN, 0),
            (0, 1_000_000_000),
            (1, -1),
            (-1, 1),
            (0, i32::MIN),
        ] {
            assert_eq!(duration(seconds, nanos), None);
        }
    }
}
