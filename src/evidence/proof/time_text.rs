//! Times in the JSON of a proof: text where people can read it, else a number.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserializer, Visitor};
use serde::ser::{Error as _, Serializer};

use crate::time::{Date, PostgresMicros, Timestamp, UnixMicros, days_in_month, timestamp_text};

/// The microseconds since 1970 of the years 1 to 9999, which are written as text.
const AS_TEXT: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// 4714-11-24 BC, with which PostgreSQL's times begin.
const FIRST: i64 = -210_866_803_200_000_000;

/// Writes a time.
pub(super) fn write<S: Serializer>(time: PostgresMicros, serializer: S) -> Result<S::Ok, S::Error> {
    match (time.0, time.to_unix()) {
        (i64::MIN | i64::MAX, _) => {
            serializer.serialize_str(&timestamp_text(Timestamp::with_zone(time)))
        }
        (_, Some(UnixMicros(micros))) if AS_TEXT.contains(&micros) => {
            serializer.serialize_str(&timestamp_text(Timestamp::with_zone(time)))
        }
        (_, Some(UnixMicros(micros))) => serializer.serialize_i64(micros),
        (_, None) => Err(S::Error::custom("a time is out of range")),
    }
}

/// Reads a time in the form in which it is written.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PostgresMicros, D::Error> {
    deserializer.deserialize_any(TimeVisitor)
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = PostgresMicros;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time such as 2026-11-22T10:00:00.123456Z")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PostgresMicros, E> {
        of_text(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, micros: i64) -> Result<PostgresMicros, E> {
        if AS_TEXT.contains(&micros) {
            return Err(E::custom("a time of the years 1 to 9999 is written as text"));
        }
        if micros < FIRST {
            return Err(E::custom("a time is out of range"));
        }
        Ok(UnixMicros(micros).into())
    }

    fn visit_u64<E: serde::de::Error>(self, micros: u64) -> Result<PostgresMicros, E> {
        let micros = i64::try_from(micros).map_err(|_| E::custom("a time is out of range"))?;
        self.visit_i64(micros)
    }
}

fn of_text(text: &str) -> Option<PostgresMicros> {
    match text {
        "-infinity" => return Some(PostgresMicros(i64::MIN)),
        "infinity" => return Some(PostgresMicros(i64::MAX)),
        _ => {}
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let date = Date { year: number(0, 4)?, month: number(5, 7)?, day: number(8, 10)? };
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_time = (1..=12).contains(&date.month)
        && (1..=days_in_month(date.year, date.month)).contains(&date.day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !is_time {
        return None;
    }
    let seconds = ((date.unix_days() * 24 + hour) * 60 + minute) * 60 + second;
    let micros = seconds * 1_000_000 + number(20, 26)?;
    let time = PostgresMicros::from(UnixMicros(micros));
    // One text alone is this time: what stands between the numbers is looked at here.
    let is_same = timestamp_text(Timestamp::with_zone(time)) == text;
    (AS_TEXT.contains(&micros) && is_same).then_some(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<PostgresMicros> {
        super::read(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    fn written(time: PostgresMicros) -> String {
        let mut json = Vec::new();
        super::write(time, &mut serde_json::Serializer::new(&mut json)).expect("in range");
        String::from_utf8(json).expect("JSON is UTF-8")
    }

    #[test]
    fn a_time_has_one_form_and_no_other() {
        for (json, micros) in [
            ("\"1970-01-01T00:00:00.000000Z\"", 0),
            ("\"2026-11-22T10:00:00.123456Z\"", 1_795_341_600_123_456),
            ("\"0001-01-01T00:00:00.000000Z\"", *AS_TEXT.start()),
            ("\"9999-12-31T23:59:59.999999Z\"", *AS_TEXT.end()),
            ("-62135596800000001", *AS_TEXT.start() - 1),
            ("253402300800000000", *AS_TEXT.end() + 1),
            ("-210866803200000000", FIRST),
            ("9223372036854775807", i64::MAX),
        ] {
            let time = PostgresMicros::from(UnixMicros(micros));
            assert_eq!(read(json), Some(time), "{json}");
            assert_eq!(written(time), json);
        }
        for (json, time) in [("\"infinity\"", i64::MAX), ("\"-infinity\"", i64::MIN)] {
            assert_eq!(read(json), Some(PostgresMicros(time)));
            assert_eq!(written(PostgresMicros(time)), json);
        }
        for json in [
            "0",
            "1795341600123456",
            "-62135596800000000",
            "253402300799999999",
            "-210866803200000001",
            "-9222425352054775808",
            "-9223372036854775808",
            "9223372036854775808",
            "253402300800000000.0",
            "2534023008e8",
            "null",
            "true",
            "[]",
            "\"\"",
            "\"2026-11-22\"",
            "\"2026-11-22T10:00:00Z\"",
            "\"2026-11-22T10:00:00.123Z\"",
            "\"2026-11-22T10:00:00.1234567Z\"",
            "\"2026-11-22 10:00:00.123456Z\"",
            "\"2026-11-22T10:00:00.123456z\"",
            "\"2026-11-22T10:00:00.123456+00:00\"",
            "\"2026-11-22T24:00:00.000000Z\"",
            "\"2026-11-22T10:00:60.000000Z\"",
            "\"2026-02-29T10:00:00.000000Z\"",
            "\"2026-00-22T10:00:00.000000Z\"",
            "\"2026-11-00T10:00:00.000000Z\"",
            "\"0000-01-01T00:00:00.000000Z\"",
            "\"+026-11-22T10:00:00.000000Z\"",
            "\"2026-11-22T+1:00:00.000000Z\"",
            "\"2026-11-22T10:00:00.-00001Z\"",
            "\"2026-11-22T10:00:00.123456ä\"",
            "\"Infinity\"",
            "\"+infinity\"",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(micros in FIRST..=i64::MAX) {
            let time = PostgresMicros::from(UnixMicros(micros));
            prop_assert_eq!(read(&written(time)), Some(time));
        }
    }
}
