//! When an event happened, out of the spellings that producers use.
//!
//! Text that begins with a date (`calendar`): RFC 3339 with any offset (`Z`, `z`, `+02:00`,
//! `+0200`, `+02`, ` UTC`, ` +0000 UTC`), with `T`, `t` or a blank, seconds left out or a leap
//! second, fractions of any length behind a point or a comma (cut to microseconds), a zone name in
//! brackets after the offset (RFC 9557); ISO 8601 without separators (`20261122T100000Z`), with
//! slashes, and FIX (`20261122-10:00:00`). A date alone is its midnight. Without an offset it is
//! read as UTC, and marked.
//!
//! Numbers, and text of digits: a date written as one number (`compact`: `20261122100000`), else
//! the Unix epoch (`epoch`), its unit by magnitude, which is unambiguous from 1973 to 5138:
//!
//! | Absolute value below | Unit |
//! |---|---|
//! | 10^11 | seconds |
//! | 10^14 | milliseconds |
//! | 10^17 | microseconds (Debezium's `MicroTimestamp`) |
//! | else | nanoseconds (Debezium's `NanoTimestamp`) |
//!
//! A fraction or an exponent is read exactly (`1763805600.123456`, `1.7638056E9`).
//!
//! Forms of single libraries (`library`): RFC 2822 and HTTP's dates, `/Date(…)/`, Jackson's arrays,
//! seconds beside nanoseconds, MongoDB's `$date`. What two countries read differently
//! (`11/12/2026`), zones that only have a name, and Excel's day numbers are not read as what they
//! may be.

mod calendar;
mod compact;
mod epoch;
mod library;
mod moment;

use crate::event::json::{Kind, Value};
use crate::time::UnixMicros;

pub use epoch::read_number;
pub use moment::{EARLIEST, ParsedTime, from_milliseconds};

/// A time that lies further from Kafka's own than this is marked: 366 days.
const FAR: u64 = 366 * 86_400 * 1_000_000;

/// Reads a time from JSON of any kind; `None` where it is no time, or one that TIMESTAMP cannot
/// hold.
pub(in crate::event) fn read_value(value: &Value<'_>) -> Option<ParsedTime> {
    match value.kind {
        Kind::Number => read_number(value.raw),
        Kind::Text => read_text(&value.text()?),
        Kind::Array => library::read_array(value.raw),
        Kind::Object => library::read_object(value.raw),
        Kind::Boolean | Kind::Null => None,
    }
}

/// Reads a time from text; `None` where it is no time, or one that TIMESTAMP cannot hold.
pub fn read_text(text: &str) -> Option<ParsedTime> {
    match text.as_bytes() {
        [_, _, _, _, b'-' | b'/', ..] => calendar::read(text.as_bytes()),
        [first, ..] if first.is_ascii_digit() || *first == b'-' => {
            read_number(text).or_else(|| calendar::read(text.as_bytes()))
        }
        _ => None,
    }
    .or_else(|| library::read_text(text))
}

/// Whether a time lies more than a year from the one that Kafka has.
pub(in crate::event) fn is_far(time: UnixMicros, kafka: UnixMicros) -> bool {
    time.0.abs_diff(kafka.0) > FAR
}

#[cfg(test)]
mod tests {
    use super::{EARLIEST, ParsedTime, from_milliseconds, read_number, read_text, read_value};
    use crate::event::json;
    use crate::time::UnixMicros;

    const NOON: i64 = 1_795_341_600_123_456;

    #[test]
    fn rfc_3339_is_read_in_every_usual_spelling() {
        for text in [
            "2026-11-22T10:00:00.123456Z",
            "2026-11-22t10:00:00.123456z",
            "2026-11-22 10:00:00.123456789Z",
            "2026-11-22T12:00:00,123456+02:00",
            "2026-11-22T12:00:00.123456+0200",
            "2026-11-22T12:00:00.123456+02",
            "2026-11-22T04:15:00.1234569999999-05:45",
            "2026-11-22T11:00:00.123456+01:00[Europe/Vienna]",
            "2026-11-22T09:59:60.123456Z",
            "2026-11-22 10:00:00.123456 UTC",
            "2026-11-22 10:00:00.123456 GMT",
            "2026-11-22 12:00:00.123456 +0200",
            "2026-11-22 12:00:00.123456789 +0200 EET",
            "2026/11/22 10:00:00.123456Z",
            "20261122T100000.123456Z",
            "20261122T120000,123456+02:00",
            "20261122100000.123456Z",
            "20261122 10:00:00.123456 UTC",
            "20261122-10:00:00.123456",
        ] {
            let moment = read_text(text);
            assert_eq!(
                moment.map(|moment| (moment.time.0, moment.assumed_utc)),
                Some((NOON, false)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_without_an_offset_is_utc_and_marked() {
        let moment = read_text("2026-11-22T10:00:00.123456");
        assert_eq!(moment.map(|moment| (moment.time.0, moment.assumed_utc)), Some((NOON, true)));
        let short = read_text("2026-11-22T10:00");
        assert_eq!(
            short.map(|moment| (moment.time.0, moment.assumed_utc)),
            Some((NOON - 123_456, true))
        );
    }

    #[test]
    fn a_date_alone_is_its_midnight_and_marked() {
        let midnight = NOON - 123_456 - 36_000_000_000;
        for (text, micros) in [
            ("2026-11-22", midnight),
            ("2026-11-22Z", midnight),
            ("2026-11-22+01:00", midnight - 3_600_000_000),
            ("2026/11/22", midnight),
            ("20261122", midnight),
        ] {
            let found = read_text(text).map(|found| (found.time.0, found.assumed_utc));
            assert_eq!(found, Some((micros, true)), "{text}");
        }
    }

    #[test]
    fn the_forms_of_single_libraries_are_read() {
        for (text, micros) in [
            ("Sun, 22 Nov 2026 10:00:00 GMT", NOON - 123_456),
            ("22 Nov 2026 12:00:00 +0200", NOON - 123_456),
            ("/Date(1795341600123)/", NOON - 456),
            ("/Date(1795341600123+0100)/", NOON - 456),
            ("/Date(-1)/", -1_000),
        ] {
            let found = read_text(text).map(|found| (found.time.0, found.assumed_utc));
            assert_eq!(found, Some((micros, false)), "{text}");
        }
        let minute = NOON - 123_456;
        for (json, expected) in [
            ("[2026,11,22,10,0]", Some((minute, true))),
            ("[2026, 11, 22, 10, 0, 0]", Some((minute, true))),
            ("[2026,11,22,10,0,0,123456789]", Some((NOON, true))),
            ("[2026,11,22]", Some((minute - 36_000_000_000, true))),
            (r#"{"seconds":1795341600,"nanos":123456789}"#, Some((NOON, false))),
            (r#"{"seconds":"1795341600","nanos":0}"#, Some((minute, false))),
            (r#"{"_seconds":1795341600,"_nanoseconds":123456789}"#, Some((NOON, false))),
            (r#"{"$date":"2026-11-22T10:00:00.123456Z"}"#, Some((NOON, false))),
            (r#"{"$date":{"$numberLong":"1795341600123"}}"#, Some((NOON - 456, false))),
            (r#"{"$date":1795341600123}"#, Some((NOON - 456, false))),
            ("[2026,11]", None),
            ("[2026,11,22,10]", None),
            ("[2026,13,22]", None),
            ("[2026,11,22,24,0]", None),
            ("[2026,11,22,10,0,0,1000000000]", None),
            ("[2026,11,22,10,0,0,1,2]", None),
            ("[22,11.5,22]", None),
            (r#"{"seconds":1795341600}"#, None),
            (r#"{"seconds":1795341600,"nanos":-1}"#, None),
            (r#"{"seconds":9e30,"nanos":0}"#, None),
            (r#"{"date":"2026-11-22"}"#, None),
            ("{}", None),
            ("true", None),
        ] {
            let value = json::scan(json.as_bytes()).expect("JSON").value;
            let found = read_value(&value).map(|found| (found.time.0, found.assumed_utc));
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "yesterday",
            "2026-11",
            "2026-11-22 ",
            "2026-11/22",
            "2026-11-22T10:00:00 ",
            "2026-11-22 10:00:00 CET",
            "2026-11-22 10:00:00 +0000 central",
            "2026-11-22-10:00:00",
            "11/22/2026",
            "22.11.2026 10:00:00",
            "20261122T",
            "20261322T100000Z",
            "Sun, 22 Nov 2026 10:00:00 CET",
            "Sun, 22 Nov 2026 10:00:00",
            "Mon, 22 Nov 2026 10:00:00 GMT",
            "Sun Nov 22 10:00:00 CET 2026",
            "/Date()/",
            "/Date(x)/",
            "/Date(1795341600123",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:60:00Z",
            "2026-11-22T10:00:61Z",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00+24:00",
            "2026-11-22T10:00:00Z ",
            "2026-11-22T10:00:00[UTC]",
            "2026-11-22T10:00:00é",
            "２０２６-11-22T10:00:00Z",
            "12-34",
            "1.",
            ".5",
            "--1",
            "1e",
            "1e999",
        ] {
            assert_eq!(read_text(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_knows_leap_days_and_the_year_zero() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(
                read_text(text).map(|moment| moment.time.0),
                Some(seconds * 1_000_000),
                "{text}"
            );
        }
    }

    #[test]
    fn the_unit_of_an_epoch_number_follows_from_its_size() {
        for (number, microseconds) in [
            ("1795341600", NOON - 123_456),
            ("1795341600.123456789", NOON),
            ("1.795341600123456E9", NOON),
            ("1795341600123", NOON - 456),
            ("1.795341600123E12", NOON - 456),
            ("1795341600123.456", NOON),
            ("1795341600123456", NOON),
            ("1795341600123456789", NOON),
            ("0", 0),
            ("-1", -1_000_000),
            ("-0.0000001", -1),
            ("1e-90", 0),
            ("99999999999", 99_999_999_999_000_000),
            ("100000000000", 100_000_000_000_000),
        ] {
            assert_eq!(
                read_number(number),
                Some(ParsedTime { time: UnixMicros(microseconds), assumed_utc: false }),
                "{number}"
            );
            assert_eq!(
                read_text(number).map(|moment| moment.time.0),
                Some(microseconds),
                "{number}"
            );
        }
    }

    #[test]
    fn what_timestamp_cannot_hold_is_not_read() {
        for number in
            ["1e60", "99999999999999999999999", "-1e30", "340282366920938463463374607431768211456"]
        {
            assert_eq!(read_number(number), None, "{number}");
        }
        assert_eq!(from_milliseconds(i64::MAX), None);
        assert_eq!(from_milliseconds(i64::MIN), None);
        assert_eq!(from_milliseconds(EARLIEST.0 / 1_000), Some(EARLIEST));
        assert_eq!(from_milliseconds(EARLIEST.0 / 1_000 - 1), None);
    }
}
