//! Texts that begin with a date: RFC 3339 and its relatives.

use super::moment::{Clock, ParsedTime, date, date_of_digits, moment};
use crate::time::Date;

/// Reads a date, a time and an offset, the last two of which may be missing.
pub(super) fn read(text: &[u8]) -> Option<ParsedTime> {
    let (date, has_separators, rest) = leading_date(text)?;
    let (separator, rest) = match rest {
        [b'T' | b't' | b' ', rest @ ..] => (true, rest),
        // FIX writes `20261122-10:00:00`, always in UTC.
        [b'-', rest @ ..] if !has_separators => {
            let (clock, behind) = time_of_day(rest, false)?;
            let time = moment(date, clock, 0).filter(|_| behind.is_empty())?;
            return Some(ParsedTime { time, assumed_utc: false });
        }
        _ => (false, rest),
    };
    let has_time = separator || (!has_separators && !rest.is_empty());
    let (clock, rest) =
        if has_time { time_of_day(rest, !has_separators)? } else { (Clock::default(), rest) };
    let offset_minutes = offset(rest)?;
    let time = moment(date, clock, offset_minutes.unwrap_or(0))?;
    // A date alone is its midnight, which is assumed whatever its offset is.
    Some(ParsedTime { time, assumed_utc: offset_minutes.is_none() || !has_time })
}

/// `2026-11-22`, `2026/11/22` or `20261122`, whether it has separators, and what follows.
fn leading_date(text: &[u8]) -> Option<(Date, bool, &[u8])> {
    match *text {
        [y1, y2, y3, y4, first @ (b'-' | b'/'), m1, m2, second, d1, d2, ref rest @ ..]
            if first == second =>
        {
            let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
            Some((date(year, two_digits(m1, m2)?, two_digits(d1, d2)?)?, true, rest))
        }
        [y1, y2, y3, y4, m1, m2, d1, d2, ref rest @ ..] => {
            let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
            let digits = year * 10_000 + two_digits(m1, m2)? * 100 + two_digits(d1, d2)?;
            Some((date_of_digits(digits)?, false, rest))
        }
        _ => None,
    }
}

/// `10:00`, `10:00:00.123`, or without colons, and what follows.
fn time_of_day(text: &[u8], without_colons: bool) -> Option<(Clock, &[u8])> {
    let (hour, minute, rest) = match *text {
        [h1, h2, b':', m1, m2, ref rest @ ..] => (two_digits(h1, h2)?, two_digits(m1, m2)?, rest),
        [h1, h2, m1, m2, ref rest @ ..] if without_colons => {
            (two_digits(h1, h2)?, two_digits(m1, m2)?, rest)
        }
        _ => return None,
    };
    let (second, micros, rest) = match *rest {
        [b':', s1, s2, ref rest @ ..] => {
            let (micros, rest) = fraction(rest)?;
            (two_digits(s1, s2)?, micros, rest)
        }
        [s1 @ b'0'..=b'9', s2, ref rest @ ..] if without_colons => {
            let (micros, rest) = fraction(rest)?;
            (two_digits(s1, s2)?, micros, rest)
        }
        _ => (0, 0, rest),
    };
    Some((Clock { hour, minute, second, micros }, rest))
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
    let micros = (0..6).fold(0, |sum, place| {
        sum * 10 + if place < length { i64::from(digits[place] - b'0') } else { 0 }
    });
    Some((micros, &digits[length..]))
}

/// The offset in minutes; the inner `None` where there is none, the outer where it cannot be read.
fn offset(text: &[u8]) -> Option<Option<i64>> {
    // `[Europe/Vienna]` and ` CET` after an offset only name the zone that the offset came from.
    let text = match text {
        [before @ .., b']'] => {
            &before[..before.iter().position(|&byte| byte == b'[').filter(|&at| at > 0)?]
        }
        [b' ', rest @ ..] if !rest.is_empty() => without_name(rest)?,
        _ => text,
    };
    let (sign, hour, minute) = match *text {
        [] => return Some(None),
        [b'Z' | b'z'] | [b'U', b'T', b'C'] | [b'G', b'M', b'T'] => return Some(Some(0)),
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

/// `+0000 UTC`, as Go writes it, without the name.
fn without_name(offset: &[u8]) -> Option<&[u8]> {
    let Some(end) = offset.iter().position(|&byte| byte == b' ') else {
        return Some(offset);
    };
    let name = &offset[end + 1..];
    let is_name = (1..=5).contains(&name.len()) && name.iter().all(u8::is_ascii_uppercase);
    (is_name && matches!(offset[0], b'+' | b'-')).then_some(&offset[..end])
}
