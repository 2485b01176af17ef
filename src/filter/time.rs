//! Time words: what can be typed where a time is asked for.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::digits::{self, Digits};
use super::distance::{Direction, Distance};
use super::error::Error;
use super::zone::{Zone, parse_offset};
use crate::time::PostgresMicros;

/// The first whole year that PostgreSQL has a timestamp for, 4713 BC.
const FIRST_YEAR: i32 = -4712;

/// What time words refer to.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The present, for `now`, `today`, `2h ago`.
    pub now: DateTime<Utc>,
    /// What a time without an offset means.
    pub zone: Zone,
}

/// A range of time: from `since`, inclusive, until `until`, exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first instant of it; without it, from the beginning.
    pub since: Option<DateTime<Utc>>,
    /// The first instant after it; without it, to the end.
    pub until: Option<DateTime<Utc>>,
}

impl TimeRange {
    /// Whether it leaves nothing out.
    pub fn is_unbounded(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Whether the time lies within it.
    pub fn holds(&self, time: PostgresMicros) -> bool {
        self.since.is_none_or(|since| PostgresMicros::from(since) <= time)
            && self.until.is_none_or(|until| time < PostgresMicros::from(until))
    }

    /// The range in words, about `column`: `2026-11-22T00:00:00Z ≤ created_at <
    /// 2026-11-23T00:00:00Z`.
    pub fn describe(&self, column: &str) -> String {
        let since = self.since.map(|since| format!("{} ≤ ", rfc3339(since))).unwrap_or_default();
        let until = self.until.map(|until| format!(" < {}", rfc3339(until))).unwrap_or_default();
        format!("{since}{column}{until}")
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one.
pub fn rfc3339(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

impl Clock {
    /// Reads a time: RFC 3339, a date, a date and a time, `now`, `today`, `yesterday 17:00`,
    /// `17:00`, a distance (`1h30m` and `2h ago` lie in the past, `-3d`, `+2h`, `now-1h`), the Unix
    /// epoch in s, ms, µs or ns.
    ///
    /// # Errors
    /// `Error::Time` with the text.
    pub fn time(&self, text: &str) -> Result<DateTime<Utc>, Error> {
        let text = text.trim();
        let time = self.read_time(text).filter(|time| time.year() >= FIRST_YEAR);
        time.ok_or_else(|| Error::Time(text.to_owned()))
    }

    /// Reads a day, `2026-11-22`, `today` or `yesterday`, and gives the whole of it.
    ///
    /// # Errors
    /// `Error::Date` with the text.
    pub fn day(&self, text: &str) -> Result<TimeRange, Error> {
        let text = text.trim();
        let whole_day = || {
            let day = self.read_day(text)?;
            let next = day.checked_add_days(Days::new(1))?;
            Some(TimeRange { since: Some(self.midnight(day)?), until: Some(self.midnight(next)?) })
        };
        whole_day().ok_or_else(|| Error::Date(text.to_owned()))
    }

    fn midnight(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        self.zone.instant(day.and_time(NaiveTime::MIN))
    }

    fn read_time(&self, text: &str) -> Option<DateTime<Utc>> {
        if text.eq_ignore_ascii_case("now") {
            return Some(self.now);
        }
        if let Some((direction, distance)) = read_direction(text) {
            return Distance::read(distance)?.from(self.now, direction, self.zone);
        }
        // As kubectl, docker and journalctl: a distance alone lies in the past.
        if let Some(distance) = Distance::read(text) {
            return distance.from(self.now, Direction::Before, self.zone);
        }
        match Digits::read(text) {
            Some(Digits::Epoch(instant)) => return Some(instant),
            Some(Digits::WallClock(wall_clock)) => return self.zone.instant(wall_clock),
            None => {}
        }
        if let Some(time) = read_time_of_day(text) {
            let today = self.zone.wall_clock(self.now).date();
            return self.zone.instant(today.and_time(time));
        }
        if let Some(day) = self.read_day(text) {
            return self.midnight(day);
        }
        // `today` holds a T of its own.
        let is_iso = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
        let (day, rest) =
            if is_iso { (text.get(..10)?, &text[11..]) } else { text.split_once(' ')? };
        let day = self.read_day(day)?;
        let (time, offset) = split_offset(rest.trim_start());
        let wall_clock = day.and_time(read_time_of_day(time.trim_end())?);
        match offset {
            None => self.zone.instant(wall_clock),
            Some(offset) => Some(at_offset(wall_clock, offset)?),
        }
    }

    fn read_day(&self, text: &str) -> Option<NaiveDate> {
        let today = self.zone.wall_clock(self.now).date();
        match text.to_ascii_lowercase().as_str() {
            "today" => Some(today),
            "yesterday" => today.checked_sub_days(Days::new(1)),
            "tomorrow" => today.checked_add_days(Days::new(1)),
            date => read_date(date),
        }
    }
}

/// Splits `-3d`, `+2h`, `now-1h` and `2h ago` into the direction and the distance.
fn read_direction(text: &str) -> Option<(Direction, &str)> {
    let ends_in_ago = text.len().checked_sub(3).and_then(|place| text.split_at_checked(place));
    if let Some((distance, ago)) = ends_in_ago
        && ago.eq_ignore_ascii_case("ago")
    {
        return Some((Direction::Before, distance));
    }
    let from_now = match text.split_at_checked(3) {
        Some((now, rest)) if now.eq_ignore_ascii_case("now") => rest.trim_start(),
        _ => text,
    };
    match from_now.strip_prefix('-') {
        Some(distance) => Some((Direction::Before, distance)),
        None => Some((Direction::After, from_now.strip_prefix('+')?)),
    }
}

/// `2026-11-22`, four digits, two, two, or the same without hyphens.
fn read_date(text: &str) -> Option<NaiveDate> {
    if let Some(date) = digits::date(text) {
        return Some(date);
    }
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let number = |digits: &str, length: usize| {
        (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<u32>().ok())?
    };
    // There is no year 0 in PostgreSQL.
    let year = i32::try_from(number(year, 4)?).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)
}

/// `17:00`, `17:00:05` or `17:00:05.123456`.
fn read_time_of_day(text: &str) -> Option<NaiveTime> {
    if !text.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// Splits `10:00:00+02:00`, `10:00 +0200` and `10:00Z` before the offset.
fn split_offset(text: &str) -> (&str, Option<&str>) {
    text.find(['Z', 'z', '+', '-'])
        .map_or((text, None), |place| (&text[..place], Some(&text[place..])))
}

fn at_offset(wall_clock: NaiveDateTime, offset: &str) -> Option<DateTime<Utc>> {
    let offset = if offset.eq_ignore_ascii_case("z") {
        Duration::zero()
    } else {
        Duration::seconds(parse_offset(offset)?.local_minus_utc().into())
    };
    Some(wall_clock.checked_sub_signed(offset)?.and_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clock(zone: &str) -> Clock {
        let now = DateTime::parse_from_rfc3339("2026-11-22T10:30:00Z").expect("a time");
        Clock { now: now.with_timezone(&Utc), zone: zone.parse().expect("a zone") }
    }

    fn read(text: &str, zone: &str) -> String {
        clock(zone).time(text).map_or_else(|error| error.to_string(), rfc3339)
    }

    #[test]
    fn absolute_times_are_utc_unless_an_offset_says_otherwise() {
        for text in [
            "2026-11-22T08:00:00Z",
            "2026-11-22t08:00:00z",
            "2026-11-22 08:00",
            "2026-11-22T09:00:00.000+01:00",
            "2026-11-22 09:00 +0100",
            "2026-11-22T02:30:00-05:30",
            "08:00",
            "today 08:00",
        ] {
            assert_eq!(read(text, "UTC"), "2026-11-22T08:00:00Z", "{text}");
        }
        assert_eq!(read("2026-11-22T08:00:00.123456Z", "UTC"), "2026-11-22T08:00:00.123456Z");
    }

    #[test]
    fn words_and_distances_refer_to_now() {
        assert_eq!(read("now", "UTC"), "2026-11-22T10:30:00Z");
        assert_eq!(read("today", "UTC"), "2026-11-22T00:00:00Z");
        assert_eq!(read("yesterday 17:00", "UTC"), "2026-11-21T17:00:00Z");
        assert_eq!(read("2h ago", "UTC"), "2026-11-22T08:30:00Z");
        assert_eq!(read("2 Hours ago", "UTC"), "2026-11-22T08:30:00Z");
        assert_eq!(read("1h30m ago", "UTC"), "2026-11-22T09:00:00Z");
        assert_eq!(read("-3d", "UTC"), "2026-11-19T10:30:00Z");
        assert_eq!(read("+1w", "UTC"), "2026-11-29T10:30:00Z");
    }

    #[test]
    fn a_distance_alone_lies_in_the_past_and_now_may_stand_before_it() {
        assert_eq!(read("5m", "UTC"), "2026-11-22T10:25:00Z");
        assert_eq!(read("1h30m", "UTC"), "2026-11-22T09:00:00Z");
        assert_eq!(read("3d", "UTC"), "2026-11-19T10:30:00Z");
        assert_eq!(read("2 hours", "UTC"), "2026-11-22T08:30:00Z");
        assert_eq!(read("now-1h", "UTC"), "2026-11-22T09:30:00Z");
        assert_eq!(read("NOW - 1h30m", "UTC"), "2026-11-22T09:00:00Z");
        assert_eq!(read("now+30s", "UTC"), "2026-11-22T10:30:30Z");
    }

    #[test]
    fn months_and_years_are_counted_on_the_calendar() {
        assert_eq!(read("1 month ago", "UTC"), "2026-10-22T10:30:00Z");
        assert_eq!(read("9 months ago", "UTC"), "2026-02-22T10:30:00Z");
        assert_eq!(read("-1y", "UTC"), "2025-11-22T10:30:00Z");
        // The clocks of Berlin were an hour ahead of those of today.
        assert_eq!(read("1 month ago", "Europe/Berlin"), "2026-10-22T09:30:00Z");
        let end_of_march =
            Clock { now: clock("UTC").time("2026-03-31").expect("a day"), ..clock("UTC") };
        assert_eq!(
            end_of_march.time("1mo ago").map(rfc3339).as_deref(),
            Ok("2026-02-28T00:00:00Z")
        );
    }

    #[test]
    fn digits_are_the_epoch_or_a_date_without_separators() {
        for text in [
            "1795343400",
            "1795343400.0",
            "1795343400000",
            "1795343400000000",
            "1795343400000000000",
        ] {
            assert_eq!(read(text, "Asia/Tokyo"), "2026-11-22T10:30:00Z", "{text}");
        }
        assert_eq!(read("20261122", "UTC"), "2026-11-22T00:00:00Z");
        assert_eq!(read("20261122103000", "Asia/Tokyo"), "2026-11-22T01:30:00Z");
        assert_eq!(read("20261122 10:30", "UTC"), "2026-11-22T10:30:00Z");
    }

    #[test]
    fn a_zone_moves_what_has_no_offset() {
        assert_eq!(read("2026-11-22", "Europe/Berlin"), "2026-11-21T23:00:00Z");
        assert_eq!(read("2026-11-22 10:00", "America/New_York"), "2026-11-22T15:00:00Z");
        assert_eq!(read("2026-11-22T10:00:00Z", "Asia/Tokyo"), "2026-11-22T10:00:00Z");
        // It is already the 23rd at +14:00.
        assert_eq!(read("today", "+14:00"), "2026-11-22T10:00:00Z");
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_make_it() {
        let day = clock("Europe/Berlin").day("2026-10-25").expect("a day");
        assert_eq!(
            day.describe("created_at"),
            "2026-10-24T22:00:00Z ≤ created_at < 2026-10-25T23:00:00Z"
        );
        let day = clock("UTC").day("yesterday").expect("a day");
        assert_eq!(
            day.describe("created_at"),
            "2026-11-21T00:00:00Z ≤ created_at < 2026-11-22T00:00:00Z"
        );
    }

    #[test]
    fn what_is_no_time_is_named() {
        for wrong in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "3",
            "-3",
            "-3x",
            "-",
            "ago",
            "25:00",
            "22.11.2026",
            "2026-11-22T",
            "2026-11-22T10:00:00+25:00",
            "0000-01-01",
            "-99999999999999999d",
            "9999y",
            "2026-11-22 10:00 Berlin",
            "26-11-22",
            "today 17",
            "-1d2",
            "now-",
            "now 1h",
            "nowhere",
            "-1h ago",
            "1.5 months ago",
            "123456",
        ] {
            let error = clock("UTC").time(wrong).expect_err(wrong);
            assert!(error.to_string().contains(&format!("'{wrong}'")), "{error}");
        }
        assert!(clock("UTC").day("2h ago").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,24}") {
            let _ = clock("Europe/Berlin").time(&text);
            let _ = clock("+05:45").day(&text);
        }

        #[test]
        fn what_is_written_is_read_back(microseconds in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
            let instant = DateTime::from_timestamp_micros(microseconds).expect("in range");
            prop_assert_eq!(clock("Asia/Kolkata").time(&rfc3339(instant)).ok(), Some(instant));
        }
    }
}
