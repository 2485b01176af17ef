//! When an event happened, out of the spellings that producers use.
//!
//! Text: RFC 3339 with any offset (`Z`, `z`, `+02:00`, `+0200`, `+02`), with `T`, `t` or a blank,
//! seconds left out or a leap second, fractions of any length (cut to microseconds), a zone name in
//! brackets after the offset (RFC 9557). Without an offset it is read as UTC, and marked.
//!
//! Numbers, and text of digits: the Unix epoch, its unit by magnitude, which is unambiguous from
//! 1973 to 5138:
//!
//! | Absolute value below | Unit |
//! |---|---|
//! | 10^11 | seconds |
//! | 10^14 | milliseconds |
//! | 10^17 | microseconds (Debezium's `MicroTimestamp`) |
//! | else | nanoseconds (Debezium's `NanoTimestamp`) |
//!
//! A fraction or an exponent is read exactly (`1763805600.123456`, `1.7638056E9`).

use crate::time::{Date, UnixMicros, days_in_month};

/// The first moment of PostgreSQL's TIMESTAMP, 4713-11-24 BC.
/// Its last one (year 294276) lies beyond what 64 bits hold in this scale (year 294247).
pub const EARLIEST: UnixMicros = UnixMicros(-210_866_803_200_000_000);

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// The point in time.
    pub time: UnixMicros,
    /// Whether the text had no offset, so that UTC was assumed.
    pub assumed_utc: bool,
}

/// Reads a time from text; `None` where it is no time, or one that TIMESTAMP cannot hold.
pub fn read_text(text: &str) -> Option<ParsedTime> {
    match text.as_bytes() {
        [_, _, _, _, b'-', ..] => read_rfc3339(text.as_bytes()),
        _ => read_number(text).map(|time| ParsedTime { time, assumed_utc: false }),
    }
}

/// Kafka's milliseconds as microseconds; `None` where TIMESTAMP cannot hold them.
pub fn from_milliseconds(milliseconds: i64) -> Option<UnixMicros> {
    milliseconds.checked_mul(1_000).map(UnixMicros).filter(|&time| time >= EARLIEST)
}

fn read_rfc3339(text: &[u8]) -> Option<ParsedTime> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        ref rest @ ..,
    ] = text
    else {
        return None;
    };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let month = two_digits(mo1, mo2).filter(|month| (1..=12).contains(month))?;
    let day = two_digits(d1, d2).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    let hour = two_digits(h1, h2).filter(|hour| *hour < 24)?;
    let minute = two_digits(mi1, mi2).filter(|minute| *minute < 60)?;
    let (second, microsecond, rest) = match rest {
        [b':', s1, s2, rest @ ..] => {
            // A leap second is the first second of the next minute, as PostgreSQL reads it.
            let second = two_digits(*s1, *s2).filter(|second| *second <= 60)?;
            let (microsecond, rest) = fraction(rest)?;
            (second, microsecond, rest)
        }
        _ => (0, 0, rest),
    };
    let offset_minutes = offset(rest)?;
    let seconds =
        (Date { year, month, day }.unix_days() * 24 + hour) * 3_600 + minute * 60 + second
            - offset_minutes.unwrap_or(0) * 60;
    Some(ParsedTime {
        time: UnixMicros(seconds * MICROSECONDS_PER_SECOND + microsecond),
        assumed_utc: offset_minutes.is_none(),
    })
}

fn two_digits(first: u8, second: u8) -> Option<i64> {
    (first.is_ascii_digit() && second.is_ascii_digit())
        .then(|| i64::from(first - b'0') * 10 + i64::from(second - b'0'))
}

/// The microseconds of a fraction, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else {
        return Some((0, text));
    };
    let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let microsecond = (0..6).fold(0, |sum, place| {
        sum * 10 + if place < length { i64::from(digits[place] - b'0') } else { 0 }
    });
    Some((microsecond, &digits[length..]))
}

/// The offset in minutes; the inner `None` where there is none, the outer where it cannot be read.
fn offset(text: &[u8]) -> Option<Option<i64>> {
    // `[Europe/Vienna]` after an offset only names the zone that the offset came from.
    let text = match text {
        [before @ .., b']'] => {
            &before[..before.iter().position(|&byte| byte == b'[').filter(|&at| at > 0)?]
        }
        _ => text,
    };
    let (sign, hour, minute) = match *text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [sign, h1, h2] => (sign, two_digits(h1, h2)?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, two_digits(h1, h2)?, two_digits(m1, m2)?)
        }
        _ => return None,
    };
    if hour > 23 || minute > 59 {
        return None;
    }
    match sign {
        b'+' => Some(Some(hour * 60 + minute)),
        b'-' => Some(Some(-(hour * 60 + minute))),
        _ => None,
    }
}

/// Reads an epoch number of any unit: a JSON number, or the same as text.
pub fn read_number(number: &str) -> Option<UnixMicros> {
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (
            &number[..at],
            number[at + 1..].parse::<i32>().ok().filter(|exponent| exponent.abs() < 100)?,
        ),
        None => (number, 0),
    };
    let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(integer) || !is_digits(fraction) {
        return None;
    }
    // Digits behind the 15th decimal cannot count for a microsecond.
    let fraction = &fraction[..fraction.len().min(15)];
    let mut value: i128 = integer.parse().ok()?;
    for digit in fraction.bytes() {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if is_negative {
        value = -value;
    }
    let exponent = exponent - fraction.len() as i32;
    let magnitude = shifted(value, exponent)?.abs();
    let unit = match magnitude {
        0..100_000_000_000 => 6,
        100_000_000_000..100_000_000_000_000 => 3,
        100_000_000_000_000..100_000_000_000_000_000 => 0,
        _ => -3,
    };
    let time = UnixMicros(i64::try_from(shifted(value, exponent + unit)?).ok()?);
    (time >= EARLIEST).then_some(time)
}

/// `value` times ten to the `exponent`, rounded down; `None` where 128 bits cannot hold it.
fn shifted(value: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    if exponent >= 0 {
        value.checked_mul(power?)
    } else {
        // Where even the power does not fit, nothing but the sign is left of the value.
        Some(power.map_or(if value < 0 { -1 } else { 0 }, |power| value.div_euclid(power)))
    }
}

#[cfg(test)]
mod tests {
    use crate::time::UnixMicros;

    use super::{EARLIEST, from_milliseconds, read_number, read_text};

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
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "yesterday",
            "2026-11-22",
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
            assert_eq!(read_number(number), Some(UnixMicros(microseconds)), "{number}");
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
