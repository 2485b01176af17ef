//! Times as text, over the whole range of PostgreSQL's TIMESTAMP (4713 BC to 294276 AD and both
//! infinities).

use chrono::{DateTime, Utc};

/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_EPOCH_BEFORE: i64 = 946_684_800_000_000;

/// A time in microseconds since 2000-01-01 00:00:00 UTC: PostgreSQL's epoch, because 64 bits since
/// 1970 don't reach the end of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    microseconds: i64,
    has_zone: bool,
}

impl Timestamp {
    /// A value of TIMESTAMP, which means UTC. `i64::MAX` and `i64::MIN` are the infinities.
    pub fn without_zone(microseconds: i64) -> Self {
        Self { microseconds, has_zone: false }
    }

    /// A value of TIMESTAMPTZ: the same instant, but CSV shows the offset.
    pub fn with_zone(microseconds: i64) -> Self {
        Self { microseconds, has_zone: true }
    }

    /// Microseconds since 2000-01-01 00:00:00 UTC.
    pub fn microseconds(&self) -> i64 {
        self.microseconds
    }

    /// `2026-11-22T10:00:00.123456Z`, always with six digits, so that texts sort as times do.
    pub(super) fn write_iso(&self, output: &mut Vec<u8>) {
        let Some(civil) = self.civil_or_infinity(output) else { return };
        civil.write_seconds(b'T', output);
        output.push(b'.');
        write_digits(civil.microsecond, 6, output);
        output.push(b'Z');
        civil.write_era(output);
    }

    /// `2026-11-22 10:00:00.1234`, exactly as PostgreSQL writes it with `DateStyle = ISO`.
    pub(super) fn write_sql(&self, output: &mut Vec<u8>) {
        let Some(civil) = self.civil_or_infinity(output) else { return };
        civil.write_seconds(b' ', output);
        if civil.microsecond != 0 {
            output.push(b'.');
            write_digits(civil.microsecond, 6, output);
            while output.last() == Some(&b'0') {
                output.pop();
            }
        }
        if self.has_zone {
            output.extend_from_slice(b"+00");
        }
        civil.write_era(output);
    }

    fn civil_or_infinity(self, output: &mut Vec<u8>) -> Option<Civil> {
        match self.microseconds {
            i64::MAX => output.extend_from_slice(b"infinity"),
            i64::MIN => output.extend_from_slice(b"-infinity"),
            microseconds => return Some(Civil::of(microseconds)),
        }
        None
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self::with_zone(instant.timestamp_micros() - UNIX_EPOCH_BEFORE)
    }
}

/// `2026-11-22T10:00:00.123456Z`.
pub fn timestamp_text(timestamp: Timestamp) -> String {
    let mut text = Vec::with_capacity(27);
    timestamp.write_iso(&mut text);
    text.into_iter().map(char::from).collect()
}

struct Civil {
    year: i64,
    month: u64,
    day: u64,
    second_of_day: u64,
    microsecond: u64,
}

impl Civil {
    /// Source of the arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// `civil_from_days`.
    fn of(microseconds: i64) -> Self {
        let days = microseconds.div_euclid(86_400_000_000);
        let of_day = microseconds.rem_euclid(86_400_000_000).unsigned_abs();
        // 730,425 days lie between 0000-03-01 and 2000-01-01.
        let shifted = days + 730_425;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097).unsigned_abs();
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = era * 400 + year_of_era.cast_signed() + i64::from(month <= 2);
        Self {
            year,
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            second_of_day: of_day / 1_000_000,
            microsecond: of_day % 1_000_000,
        }
    }

    /// Up to the seconds. A year before 1 is written as PostgreSQL does, with BC at the end.
    fn write_seconds(&self, separator: u8, output: &mut Vec<u8>) {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        write_digits(year.unsigned_abs(), 4, output);
        output.push(b'-');
        write_digits(self.month, 2, output);
        output.push(b'-');
        write_digits(self.day, 2, output);
        output.push(separator);
        write_digits(self.second_of_day / 3600, 2, output);
        output.push(b':');
        write_digits(self.second_of_day / 60 % 60, 2, output);
        output.push(b':');
        write_digits(self.second_of_day % 60, 2, output);
    }

    fn write_era(&self, output: &mut Vec<u8>) {
        if self.year <= 0 {
            output.extend_from_slice(b" BC");
        }
    }
}

fn write_digits(number: u64, at_least: usize, output: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut first = digits.len();
    while rest > 0 || digits.len() - first < at_least {
        first -= 1;
        // A remainder of ten fits.
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    output.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sql(timestamp: Timestamp) -> String {
        let mut output = Vec::new();
        timestamp.write_sql(&mut output);
        String::from_utf8(output).expect("ASCII")
    }

    #[test]
    fn times_are_written_as_postgresql_and_iso_8601_write_them() {
        let time = Timestamp::without_zone(848_656_800_120_000);
        assert_eq!(timestamp_text(time), "2026-11-22T10:00:00.120000Z");
        assert_eq!(sql(time), "2026-11-22 10:00:00.12");
        assert_eq!(sql(Timestamp::with_zone(848_656_800_000_000)), "2026-11-22 10:00:00+00");
    }

    #[test]
    fn the_ends_of_postgresqls_range_can_be_written() {
        assert_eq!(
            sql(Timestamp::without_zone(-211_813_488_000_000_000)),
            "4714-11-24 00:00:00 BC"
        );
        assert_eq!(
            sql(Timestamp::without_zone(9_223_371_331_199_999_999)),
            "294276-12-31 23:59:59.999999"
        );
        assert_eq!(sql(Timestamp::without_zone(i64::MAX)), "infinity");
        assert_eq!(timestamp_text(Timestamp::with_zone(i64::MIN)), "-infinity");
    }

    proptest! {
        #[test]
        fn chrono_writes_the_same(microseconds in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
            let instant = DateTime::from_timestamp_micros(microseconds).expect("in range");
            prop_assert_eq!(
                timestamp_text(Timestamp::from(instant)),
                instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
            );
        }
    }
}
