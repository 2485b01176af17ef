//! Times as text, over the whole range of PostgreSQL's TIMESTAMP (4713 BC to 294276 AD and both
//! infinities).

use chrono::{DateTime, Utc};

use super::{Date, PostgresMicros};

/// Days from 1970-01-01 to 2000-01-01.
const POSTGRES_EPOCH_DAYS: i64 = 10_957;

/// A point in time that is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    time: PostgresMicros,
    has_zone: bool,
}

impl Timestamp {
    /// A value of TIMESTAMP, which means UTC.
    pub fn without_zone(time: PostgresMicros) -> Self {
        Self { time, has_zone: false }
    }

    /// A value of TIMESTAMPTZ: the same instant, but CSV shows the offset.
    pub fn with_zone(time: PostgresMicros) -> Self {
        Self { time, has_zone: true }
    }

    /// The point in time.
    pub fn time(&self) -> PostgresMicros {
        self.time
    }

    /// `2026-11-22T10:00:00.123456Z`, always with six digits, so that texts sort as times do.
    pub(crate) fn write_iso(&self, output: &mut Vec<u8>) {
        let Some(civil) = self.civil_or_infinity(output) else { return };
        civil.write_seconds(b'T', output);
        output.push(b'.');
        write_digits(civil.microsecond, 6, output);
        output.push(b'Z');
        civil.write_era(output);
    }

    /// `2026-11-22 10:00:00.1234`, exactly as PostgreSQL writes it with `DateStyle = ISO`.
    pub(crate) fn write_sql(&self, output: &mut Vec<u8>) {
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
        match self.time.0 {
            i64::MAX => output.extend_from_slice(b"infinity"),
            i64::MIN => output.extend_from_slice(b"-infinity"),
            microseconds => return Some(Civil::of(microseconds)),
        }
        None
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self::with_zone(instant.into())
    }
}

/// `2026-11-22T10:00:00.123456Z`.
pub fn timestamp_text(timestamp: Timestamp) -> String {
    let mut text = Vec::with_capacity(27);
    timestamp.write_iso(&mut text);
    text.into_iter().map(char::from).collect()
}

/// A point in time as a calendar and a clock show it.
struct Civil {
    date: Date,
    second_of_day: u64,
    microsecond: u64,
}

impl Civil {
    fn of(microseconds: i64) -> Self {
        let days = microseconds.div_euclid(86_400_000_000);
        let of_day = microseconds.rem_euclid(86_400_000_000).unsigned_abs();
        Self {
            date: Date::from_unix_days(days + POSTGRES_EPOCH_DAYS),
            second_of_day: of_day / 1_000_000,
            microsecond: of_day % 1_000_000,
        }
    }

    /// Up to the seconds. A year before 1 is written as PostgreSQL does, with BC at the end.
    fn write_seconds(&self, separator: u8, output: &mut Vec<u8>) {
        let Date { year, month, day } = self.date;
        let year = if year > 0 { year } else { 1 - year };
        write_digits(year.unsigned_abs(), 4, output);
        output.push(b'-');
        write_digits(month.unsigned_abs(), 2, output);
        output.push(b'-');
        write_digits(day.unsigned_abs(), 2, output);
        output.push(separator);
        write_digits(self.second_of_day / 3600, 2, output);
        output.push(b':');
        write_digits(self.second_of_day / 60 % 60, 2, output);
        output.push(b':');
        write_digits(self.second_of_day % 60, 2, output);
    }

    fn write_era(&self, output: &mut Vec<u8>) {
        if self.date.year <= 0 {
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
        let time = Timestamp::without_zone(PostgresMicros(848_656_800_120_000));
        assert_eq!(timestamp_text(time), "2026-11-22T10:00:00.120000Z");
        assert_eq!(sql(time), "2026-11-22 10:00:00.12");
        assert_eq!(
            sql(Timestamp::with_zone(PostgresMicros(848_656_800_000_000))),
            "2026-11-22 10:00:00+00"
        );
    }

    #[test]
    fn the_ends_of_postgresqls_range_can_be_written() {
        assert_eq!(
            sql(Timestamp::without_zone(PostgresMicros(-211_813_488_000_000_000))),
            "4714-11-24 00:00:00 BC"
        );
        assert_eq!(
            sql(Timestamp::without_zone(PostgresMicros(9_223_371_331_199_999_999))),
            "294276-12-31 23:59:59.999999"
        );
        assert_eq!(sql(Timestamp::without_zone(PostgresMicros(i64::MAX))), "infinity");
        assert_eq!(timestamp_text(Timestamp::with_zone(PostgresMicros(i64::MIN))), "-infinity");
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
