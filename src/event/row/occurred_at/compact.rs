//! Dates written as one number: `20261122100000`, and .NET's ticks.
//!
//! | Digits | Read as | What an epoch number of as many digits would say |
//! |---|---|---|
//! | 8 | `yyyymmdd`, its midnight | seconds, in August and September 1970 |
//! | 12 | `yyyymmddHHMM` | milliseconds, in 1976 |
//! | 14, also with a fraction | `yyyymmddHHMMSS` | milliseconds, after the year 2572 |
//! | 17, 20, 23 | the same with milli-, micro-, nanoseconds | microseconds, after the year 2572; none |
//! | 18 | .NET's ticks, of the years 2000 to 2099 | nanoseconds, in 1990 |
//!
//! A date has to be one of the calendar, of the years 1900 to 2199. All other numbers are epoch
//! numbers. So an epoch number of a time since 1991 and before 2572 is never taken for a date.

use super::moment::{Clock, date_of_digits, moment};
use crate::time::UnixMicros;

/// Ticks of 100 nanoseconds since the year 1, at the beginning of 1970.
const TICKS_TO_1970: i128 = 621_355_968_000_000_000;
/// Ticks at the beginning of 2000 and of 2100.
const TICKS_OF_NOW: std::ops::Range<i128> = 630_822_816_000_000_000..662_380_416_000_000_000;

/// Reads a whole number, and the microseconds behind its point, as a date in digits.
pub(super) fn read(number: i128, micros: i64) -> Option<UnixMicros> {
    if TICKS_OF_NOW.contains(&number) {
        return i64::try_from((number - TICKS_TO_1970) / 10).ok().map(UnixMicros);
    }
    // The smallest numbers are the most usual ones, and none of them is a date.
    let digits = number.checked_ilog10().filter(|_| number > 0)? + 1;
    let (digits_behind, has_time) = match digits {
        8 => (0, false),
        12 | 14 => (0, true),
        17 => (3, true),
        20 => (6, true),
        23 => (9, true),
        _ => return None,
    };
    if micros != 0 && digits != 14 {
        return None;
    }
    let behind = number % 10_i128.pow(digits_behind);
    let seconds = match digits {
        8 => number * 1_000_000,
        12 => number * 100,
        _ => number / 10_i128.pow(digits_behind),
    };
    let seconds = i64::try_from(seconds).ok()?;
    let micros = match digits_behind {
        0 => micros,
        3 => behind as i64 * 1_000,
        6 => behind as i64,
        _ => behind as i64 / 1_000,
    };
    let clock = Clock {
        hour: seconds / 10_000 % 100,
        minute: seconds / 100 % 100,
        second: seconds % 100,
        micros,
    };
    let date = date_of_digits(seconds / 1_000_000)?;
    moment(date, if has_time { clock } else { Clock::default() }, 0)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDateTime};
    use proptest::prelude::*;

    use super::super::epoch::read_number;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// From 1900 to 2199.
        #[test]
        fn a_time_in_digits_is_that_time_and_marked(seconds in -2_208_988_800_i64..7_258_118_400, nanos in 0_u32..1_000_000_000) {
            let time = DateTime::from_timestamp(seconds, nanos).expect("in chrono's range");
            for (format, unit) in [
                ("%Y%m%d", 86_400_000_000),
                ("%Y%m%d%H%M", 60_000_000),
                ("%Y%m%d%H%M%S", 1_000_000),
                ("%Y%m%d%H%M%S%3f", 1_000),
                ("%Y%m%d%H%M%S%6f", 1),
                ("%Y%m%d%H%M%S%9f", 1),
                ("%Y%m%d%H%M%S.%3f", 1_000),
                ("%Y%m%d%H%M%S.%9f", 1),
            ] {
                let text = time.format(format).to_string();
                let micros = time.timestamp_micros();
                let found = read_number(&text).map(|found| (found.time.0, found.assumed_utc));
                prop_assert_eq!(found, Some((micros - micros.rem_euclid(unit), true)), "{}", text);
            }
        }

        #[test]
        fn ticks_of_this_century_are_their_time(seconds in 946_684_800_i64..4_102_444_800, tick in 0_i64..10_000_000) {
            let ticks = (seconds + 62_135_596_800) * 10_000_000 + tick;
            let found = read_number(&ticks.to_string()).map(|found| (found.time.0, found.assumed_utc));
            prop_assert_eq!(found, Some((seconds * 1_000_000 + tick / 10, true)));
        }

        /// From 1991 to 2199.
        #[test]
        fn an_epoch_number_of_any_unit_is_never_taken_for_a_date(seconds in 662_688_000_i64..7_258_118_400, nanos in 0_i64..1_000_000_000) {
            for (digits, micros) in [
                (seconds.to_string(), 0),
                (format!("{seconds}.{nanos:09}"), nanos / 1_000),
                ((seconds * 1_000 + nanos / 1_000_000).to_string(), nanos / 1_000_000 * 1_000),
                ((seconds * 1_000_000 + nanos / 1_000).to_string(), nanos / 1_000),
                ((i128::from(seconds) * 1_000_000_000 + i128::from(nanos)).to_string(), nanos / 1_000),
            ] {
                let found = read_number(&digits).map(|found| (found.time.0, found.assumed_utc));
                prop_assert_eq!(found, Some((seconds * 1_000_000 + micros, false)), "{}", digits);
            }
        }

        #[test]
        fn digits_that_are_no_day_of_the_calendar_are_epoch_numbers(digits in "[1-9][0-9]{7}([0-9]{4}([0-9]{2}([0-9]{3})?)?)?") {
            let text = format!("{digits:0<14}");
            let is_date = NaiveDateTime::parse_from_str(&text[..14], "%Y%m%d%H%M%S").is_ok();
            let assumed = read_number(&digits).is_some_and(|found| found.assumed_utc);
            prop_assert!(!assumed || is_date, "{}", digits);
        }
    }

    #[test]
    fn a_number_in_the_exponential_form_of_java_is_the_same_number() {
        assert_eq!(read_number("2.02611221E13"), read_number("20261122100000"));
        assert_eq!(read_number("2.0261122E7"), read_number("20261122"));
    }
}
