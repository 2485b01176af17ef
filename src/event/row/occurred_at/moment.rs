//! Points in time, and what they are put together of.

use crate::time::{Date, UnixMicros, days_in_month};

/// The first moment of PostgreSQL's TIMESTAMP, 4713-11-24 BC.
/// Its last one (year 294276) lies beyond what 64 bits hold in this scale (year 294247).
pub const EARLIEST: UnixMicros = UnixMicros(-210_866_803_200_000_000);

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// The point in time.
    pub time: UnixMicros,
    /// Whether it had no offset, so that UTC was assumed, or no time of day.
    pub assumed_utc: bool,
}

/// Kafka's milliseconds as microseconds; `None` where TIMESTAMP cannot hold them.
pub fn from_milliseconds(milliseconds: i64) -> Option<UnixMicros> {
    milliseconds.checked_mul(1_000).map(UnixMicros).filter(|&time| time >= EARLIEST)
}

/// A time of day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    pub(super) hour: i64,
    pub(super) minute: i64,
    /// 60 is a leap second: the first second of the next minute, as PostgreSQL reads it.
    pub(super) second: i64,
    pub(super) micros: i64,
}

/// The point in time of a day and a time of day at an offset; `None` where the clock has no such
/// time, or TIMESTAMP cannot hold it.
pub(super) fn moment(date: Date, clock: Clock, offset_minutes: i64) -> Option<UnixMicros> {
    let is_time = (0..24).contains(&clock.hour)
        && (0..60).contains(&clock.minute)
        && (0..=60).contains(&clock.second);
    let seconds = (date.unix_days() * 24 + clock.hour) * 3_600 + clock.minute * 60 + clock.second
        - offset_minutes * 60;
    Some(UnixMicros(seconds.checked_mul(1_000_000)?.checked_add(clock.micros)?))
        .filter(|time| is_time && *time >= EARLIEST)
}

/// A day of the calendar.
pub(super) fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    is_date.then_some(Date { year, month, day })
}

/// The day of `yyyymmdd`, of the years 1900 to 2199.
pub(super) fn date_of_digits(digits: i64) -> Option<Date> {
    let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
    date(year, month, day).filter(|_| (1900..2200).contains(&year))
}
