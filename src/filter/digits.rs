//! Times that are digits alone: the Unix epoch, and the date and time without separators.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A time that is written in digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// An instant.
    Epoch(DateTime<Utc>),
    /// What the clocks show: `20261122100000`.
    WallClock(NaiveDateTime),
}

impl Digits {
    /// Reads an epoch, whose unit follows from how many digits it has, or `YYYYMMDD`,
    /// `YYYYMMDDhhmmss`, `YYYYMMDDhhmmssmmm`. An epoch of seconds may have a fraction. From 1973 to
    /// 2286 each instant has one number of digits in each unit, and no two units share one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let has_fraction = text.contains('.');
        let number = || whole.parse::<i64>().ok();
        let instant = match whole.len() {
            9 | 10 => {
                let micros = format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
                number()?.checked_mul(1_000_000)?.checked_add(micros)?
            }
            _ if has_fraction => return None,
            8 => return Some(Self::WallClock(date(whole)?.and_time(NaiveTime::MIN))),
            12 | 13 => number()?.checked_mul(1_000)?,
            14 => return wall_clock(whole, "000"),
            15 | 16 => number()?,
            17 => return wall_clock(whole.get(..14)?, whole.get(14..)?),
            18 | 19 => number()? / 1_000,
            _ => return None,
        };
        DateTime::from_timestamp_micros(instant).map(Self::Epoch)
    }
}

/// `20261122`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    // There is no year 0 in PostgreSQL.
    let year = i32::try_from(number(0..4)?).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, number(4..6)?, number(6..8)?)
}

fn wall_clock(text: &str, milliseconds: &str) -> Option<Digits> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let milliseconds = milliseconds.parse().ok()?;
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    let time = NaiveTime::from_hms_milli_opt(hour, minute, second, milliseconds)?;
    Some(Digits::WallClock(date(text.get(..8)?)?.and_time(time)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// From 1973-03-03 to 2286-11-20.
        #[test]
        fn an_epoch_is_read_in_each_of_its_units(micros in 100_000_000_000_000i64..10_000_000_000_000_000 - 1) {
            let read = |text: String| match Digits::read(&text) {
                Some(Digits::Epoch(instant)) => Some(instant.timestamp_micros()),
                _ => None,
            };
            prop_assert_eq!(read(micros.to_string()), Some(micros));
            prop_assert_eq!(read(format!("{micros}000")), (micros < 9_223_372_036_854_775).then_some(micros));
            prop_assert_eq!(read((micros / 1_000).to_string()), Some(micros / 1_000 * 1_000));
            prop_assert_eq!(read((micros / 1_000_000).to_string()), Some(micros / 1_000_000 * 1_000_000));
            prop_assert_eq!(read(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)), Some(micros));
        }
    }

    #[test]
    fn dates_without_separators_are_no_epochs() {
        let wall_clock = |text: &str| match Digits::read(text) {
            Some(Digits::WallClock(time)) => time.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(wall_clock("20261122"), "2026-11-22 00:00:00");
        assert_eq!(wall_clock("20261122103000"), "2026-11-22 10:30:00");
        assert_eq!(wall_clock("20261122103000250"), "2026-11-22 10:30:00.250");
    }

    #[test]
    fn other_digits_are_no_time() {
        for wrong in
            ["", "5", "2026", "20261", "20261322", "20261122250000", "12345678901", "1.", ".5", "x"]
        {
            assert_eq!(Digits::read(wrong), None, "{wrong}");
        }
        assert_eq!(Digits::read(&"9".repeat(19)), None);
        assert_eq!(Digits::read("1732266000000.5"), None);
    }
}
