//! Times of Avro's logical types: with as many digits of a second as the type counts, so that the
//! text tells what was counted.

use super::plan::Unit;
use crate::time::Date;

const SECONDS_PER_DAY: i64 = 86_400;

/// A short text without escapes, in quotes.
#[derive(Debug)]
pub(super) struct ClockText {
    bytes: [u8; 40],
    length: usize,
}

impl ClockText {
    fn new() -> Self {
        Self { bytes: [b'"'; 40], length: 1 }
    }

    /// Appends a number with leading zeros.
    fn digits(&mut self, mut number: i64, width: usize) {
        for place in self.bytes.iter_mut().skip(self.length).take(width).rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.length += width;
    }

    fn mark(&mut self, mark: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = mark;
        }
        self.length += 1;
    }

    fn date(&mut self, days: i64) -> Option<()> {
        // No year that RFC 3339 has lies further away; the calendar could overflow.
        if !(-1_000_000..3_000_000).contains(&days) {
            return None;
        }
        let Date { year, month, day } = Date::from_unix_days(days);
        if !(0..10_000).contains(&year) {
            return None;
        }
        self.digits(year, 4);
        self.mark(b'-');
        self.digits(month, 2);
        self.mark(b'-');
        self.digits(day, 2);
        Some(())
    }

    fn time_of_day(&mut self, seconds: i64, fraction: i64, unit: Unit) {
        self.digits(seconds / 3_600, 2);
        self.mark(b':');
        self.digits(seconds / 60 % 60, 2);
        self.mark(b':');
        self.digits(seconds % 60, 2);
        self.mark(b'.');
        self.digits(fraction, unit.digits());
    }

    fn finish(mut self) -> Self {
        self.mark(b'"');
        self
    }

    /// The text in quotes.
    pub(super) fn json(&self) -> &str {
        self.bytes.get(..self.length).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Unit {
    fn per_second(self) -> i64 {
        match self {
            Self::Milli => 1_000,
            Self::Micro => 1_000_000,
            Self::Nano => 1_000_000_000,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Milli => 3,
            Self::Micro => 6,
            Self::Nano => 9,
        }
    }
}

/// `"2026-11-22"`; `None` beyond the years that RFC 3339 has.
pub(super) fn date(days: i64) -> Option<ClockText> {
    let mut text = ClockText::new();
    text.date(days)?;
    Some(text.finish())
}

/// `"10:00:00.123"`; `None` for what no clock shows.
pub(super) fn time_of_day(count: i64, unit: Unit) -> Option<ClockText> {
    let (seconds, fraction) = parts(count, unit);
    if !(0..SECONDS_PER_DAY).contains(&seconds) {
        return None;
    }
    let mut text = ClockText::new();
    text.time_of_day(seconds, fraction, unit);
    Some(text.finish())
}

/// `"2026-11-22T10:00:00.123Z"`; `None` beyond the years that RFC 3339 has.
pub(super) fn timestamp(count: i64, unit: Unit) -> Option<ClockText> {
    let mut text = moment(count, unit)?;
    text.mark(b'Z');
    Some(text.finish())
}

/// `"2026-11-22T10:00:00.123"`; `None` beyond the years that RFC 3339 has.
pub(super) fn local_timestamp(count: i64, unit: Unit) -> Option<ClockText> {
    Some(moment(count, unit)?.finish())
}

fn moment(count: i64, unit: Unit) -> Option<ClockText> {
    let (seconds, fraction) = parts(count, unit);
    let mut text = ClockText::new();
    text.date(seconds.div_euclid(SECONDS_PER_DAY))?;
    text.mark(b'T');
    text.time_of_day(seconds.rem_euclid(SECONDS_PER_DAY), fraction, unit);
    Some(text)
}

/// Whole seconds, and what is left.
fn parts(count: i64, unit: Unit) -> (i64, i64) {
    (count.div_euclid(unit.per_second()), count.rem_euclid(unit.per_second()))
}

/// `"P1M2DT3.004S"`: of months, days and milliseconds those that are not 0, as ISO 8601 writes
/// them.
pub(super) fn duration(bytes: [u8; 12]) -> String {
    let [months, days, millis] = [0, 4, 8].map(|at| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[at..at + 4]);
        u32::from_le_bytes(word)
    });
    let mut text = String::from("\"P");
    for (count, letter) in [(months, 'M'), (days, 'D')] {
        if count > 0 {
            text.push_str(&format!("{count}{letter}"));
        }
    }
    if millis > 0 || text.len() == 2 {
        let seconds = format!("{}.{:03}", millis / 1_000, millis % 1_000);
        text.push('T');
        text.push_str(seconds.trim_end_matches('0').trim_end_matches('.'));
        text.push('S');
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::{ClockText, Unit, date, duration, local_timestamp, time_of_day, timestamp};

    fn text(text: Option<ClockText>) -> String {
        text.map(|text| text.json().trim_matches('"').to_owned()).unwrap_or_default()
    }

    #[test]
    fn what_no_calendar_has_is_not_written() {
        for days in [i64::MAX, i64::MIN, 2_932_897, -719_529] {
            assert!(date(days).is_none(), "{days}");
        }
        assert_eq!(text(date(2_932_896)), "9999-12-31");
        assert_eq!(text(date(-719_528)), "0000-01-01");
        for count in [i64::MIN, -1, 86_400_000, i64::MAX] {
            assert!(time_of_day(count, Unit::Milli).is_none(), "{count}");
        }
        for count in [i64::MAX, i64::MIN] {
            assert!(timestamp(count, Unit::Milli).is_none());
            assert!(local_timestamp(count, Unit::Micro).is_none());
            assert!(timestamp(count, Unit::Nano).is_some());
        }
    }

    #[test]
    fn durations_tell_only_what_they_have() {
        let of = |months: u32, days: u32, millis: u32| {
            let bytes = [months, days, millis].map(u32::to_le_bytes).concat();
            duration(bytes.try_into().expect("twelve bytes"))
        };
        assert_eq!(of(1, 2, 3_004), "\"P1M2DT3.004S\"");
        assert_eq!(of(0, 2, 0), "\"P2D\"");
        assert_eq!(of(14, 0, 90_500), "\"P14MT90.5S\"");
        assert_eq!(of(0, 0, 0), "\"PT0S\"");
        assert_eq!(of(u32::MAX, u32::MAX, u32::MAX), "\"P4294967295M4294967295DT4294967.295S\"");
    }

    proptest! {
        #[test]
        fn times_are_written_as_chrono_writes_them(nanos: i64) {
            let time = DateTime::from_timestamp_nanos(nanos);
            for (unit, count, format) in [
                (Unit::Nano, nanos, SecondsFormat::Nanos),
                (Unit::Micro, time.timestamp_micros(), SecondsFormat::Micros),
                (Unit::Milli, time.timestamp_millis(), SecondsFormat::Millis),
            ] {
                let expected = time.to_rfc3339_opts(format, true);
                prop_assert_eq!(text(timestamp(count, unit)), expected.clone());
                let local = expected.trim_end_matches('Z').to_owned();
                prop_assert_eq!(text(local_timestamp(count, unit)), local.clone());
                let (day, clock) = local.split_once('T').expect("a date and a time");
                let days = time.timestamp().div_euclid(86_400);
                prop_assert_eq!(text(date(days)), day);
                let since_midnight = count - days * 86_400 * unit.per_second();
                prop_assert_eq!(text(time_of_day(since_midnight, unit)), clock);
            }
        }
    }
}
