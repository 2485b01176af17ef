//! Times of Kafka Connect and Debezium as RFC 3339 writes them. A fraction has as many digits as it
//! needs, as in Java's ISO forms, so that columns with and without a zone look alike.

use crate::time::Date;

/// What a time is counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    Milli,
    Micro,
    Nano,
}

const SECONDS_PER_DAY: i64 = 86_400;

impl Unit {
    fn per_second(self) -> i64 {
        match self {
            Self::Milli => 1_000,
            Self::Micro => 1_000_000,
            Self::Nano => 1_000_000_000,
        }
    }

    /// A fraction of a second with its point; nothing for 0.
    fn fraction(self, count: i64) -> String {
        let digits = match self {
            Self::Milli => format!(".{count:03}"),
            Self::Micro => format!(".{count:06}"),
            Self::Nano => format!(".{count:09}"),
        };
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// `"2026-02-28"`, of days since 1970; `None` beyond the years that RFC 3339 has.
pub(super) fn date(days: i64) -> Option<String> {
    Some(format!("\"{}\"", day(days)?))
}

/// `"23:59:59.999999"`, since midnight; `None` for a duration that no clock shows.
pub(super) fn time_of_day(count: i64, unit: Unit) -> Option<String> {
    let (seconds, rest) = parts(count, unit);
    let is_time = (0..SECONDS_PER_DAY).contains(&seconds);
    is_time.then(|| format!("\"{}{}\"", clock(seconds), unit.fraction(rest)))
}

/// `"2026-11-22T10:00:00.123456Z"`, since 1970; `None` beyond the years that RFC 3339 has.
pub(super) fn timestamp(count: i64, unit: Unit) -> Option<String> {
    let (seconds, rest) = parts(count, unit);
    let day = day(seconds.div_euclid(SECONDS_PER_DAY))?;
    let clock = clock(seconds.rem_euclid(SECONDS_PER_DAY));
    Some(format!("\"{day}T{clock}{}Z\"", unit.fraction(rest)))
}

/// Whole seconds, and what is left.
fn parts(count: i64, unit: Unit) -> (i64, i64) {
    (count.div_euclid(unit.per_second()), count.rem_euclid(unit.per_second()))
}

fn day(days: i64) -> Option<String> {
    // No year that RFC 3339 has lies further away; the calendar could overflow.
    if !(-1_000_000..3_000_000).contains(&days) {
        return None;
    }
    let Date { year, month, day } = Date::from_unix_days(days);
    (0..10_000).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::{Unit, date, time_of_day, timestamp};

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        assert_eq!(date(20_512).as_deref(), Some("\"2026-02-28\""));
        assert_eq!(date(-1).as_deref(), Some("\"1969-12-31\""));
        let last = time_of_day(86_399_999_999, Unit::Micro);
        assert_eq!(last.as_deref(), Some("\"23:59:59.999999\""));
        assert_eq!(time_of_day(36_000_000, Unit::Milli).as_deref(), Some("\"10:00:00\""));
        assert_eq!(time_of_day(1, Unit::Nano).as_deref(), Some("\"00:00:00.000000001\""));
        let noon = timestamp(1_795_341_600_120, Unit::Milli);
        assert_eq!(noon.as_deref(), Some("\"2026-11-22T10:00:00.12Z\""));
        let before = timestamp(-1, Unit::Micro);
        assert_eq!(before.as_deref(), Some("\"1969-12-31T23:59:59.999999Z\""));
    }

    #[test]
    fn what_rfc_3339_cannot_write_is_not_written() {
        assert_eq!(date(i64::MAX), None);
        assert_eq!(date(i64::MIN), None);
        assert_eq!(date(2_932_897), None);
        assert_eq!(time_of_day(86_400_000, Unit::Milli), None);
        assert_eq!(time_of_day(-1, Unit::Milli), None);
        // Debezium's infinity, and the ends of the range.
        for count in [9_223_371_331_200_000_000, i64::MAX, i64::MIN] {
            assert_eq!(timestamp(count, Unit::Micro), None);
            assert_eq!(timestamp(count, Unit::Milli), None);
        }
    }

    proptest! {
        #[test]
        fn chrono_reads_back_what_was_written(nanos: i64) {
            let time = DateTime::from_timestamp_nanos(nanos);
            let text = timestamp(nanos, Unit::Nano).unwrap_or_default();
            let back = DateTime::parse_from_rfc3339(text.trim_matches('"'));
            prop_assert_eq!(back.ok().and_then(|time| time.timestamp_nanos_opt()), Some(nanos));
            let millis = timestamp(time.timestamp_millis(), Unit::Milli).unwrap_or_default();
            let expected = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            let back = DateTime::parse_from_rfc3339(millis.trim_matches('"'));
            prop_assert_eq!(back.ok(), DateTime::parse_from_rfc3339(&expected).ok());
        }
    }
}
