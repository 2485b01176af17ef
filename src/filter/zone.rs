//! Time zones: what a time without an offset means.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};

use super::error::Error;

/// A zone of the IANA time zone database, or a fixed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC, or an offset such as `+02:00`.
    Fixed(FixedOffset),
    /// A zone such as `Europe/Berlin`.
    Named(chrono_tz::Tz),
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self::Named(chrono_tz::UTC)
    }

    /// Whether its clocks show UTC, always.
    pub fn is_utc(&self) -> bool {
        match self {
            Self::Fixed(offset) => offset.local_minus_utc() == 0,
            Self::Named(zone) => *zone == chrono_tz::UTC,
        }
    }

    /// The instant of a wall-clock time. One that the clocks show twice is the first of the two;
    /// one that they skip is the first instant after the gap.
    pub(super) fn instant(&self, wall_clock: NaiveDateTime) -> Option<DateTime<Utc>> {
        // No zone ever skipped more than a day.
        (0..=24 * 4).find_map(|quarters| {
            let shifted = wall_clock.checked_add_signed(Duration::minutes(15 * quarters))?;
            match self {
                Self::Fixed(offset) => first(offset.from_local_datetime(&shifted)),
                Self::Named(zone) => first(zone.from_local_datetime(&shifted)),
            }
        })
    }

    /// How many seconds the clocks are ahead of UTC at an instant, given in seconds since 1970.
    pub(super) fn seconds_east(&self, unix_seconds: i64) -> i32 {
        let instant = DateTime::from_timestamp(unix_seconds, 0).unwrap_or_default().naive_utc();
        match self {
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Named(zone) => zone.offset_from_utc_datetime(&instant).fix().local_minus_utc(),
        }
    }

    /// What the clocks of this zone show at an instant.
    pub(super) fn wall_clock(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Fixed(offset) => instant.with_timezone(offset).naive_local(),
            Self::Named(zone) => instant.with_timezone(zone).naive_local(),
        }
    }
}

fn first<T: TimeZone>(result: LocalResult<DateTime<T>>) -> Option<DateTime<Utc>> {
    result.earliest().map(|instant| instant.with_timezone(&Utc))
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case("z") {
            return Ok(Self::utc());
        }
        if let Some(offset) = parse_offset(text) {
            return Ok(Self::Fixed(offset));
        }
        chrono_tz::TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .map(|zone| Self::Named(*zone))
            .ok_or_else(|| Error::Zone(text.to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(offset) => write!(formatter, "{offset}"),
            Self::Named(zone) => write!(formatter, "{zone}"),
        }
    }
}

/// `+02:00`, `+0200` or `+02`.
pub(super) fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    if !hours.bytes().chain(minutes.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60)
        .then(|| FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)))?
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn at(zone: &str, hour: u32, minute: u32, day: (i32, u32, u32)) -> Option<String> {
        let wall = NaiveDate::from_ymd_opt(day.0, day.1, day.2)?.and_hms_opt(hour, minute, 0)?;
        let instant = Zone::from_str(zone).ok()?.instant(wall)?;
        Some(instant.to_rfc3339())
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        assert_eq!(
            at("Europe/Berlin", 10, 0, (2026, 7, 1)).as_deref(),
            Some("2026-07-01T08:00:00+00:00")
        );
        assert_eq!(
            at("europe/berlin", 10, 0, (2026, 1, 1)).as_deref(),
            Some("2026-01-01T09:00:00+00:00")
        );
        assert_eq!(at("-0330", 10, 0, (2026, 1, 1)).as_deref(), Some("2026-01-01T13:30:00+00:00"));
        assert_eq!(Zone::from_str("utc").ok(), Some(Zone::utc()));
        for wrong in ["Berlin", "+25:00", "+1:00", "", "+aa"] {
            assert!(Zone::from_str(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_the_first_instant_after_the_gap() {
        assert_eq!(
            at("Europe/Berlin", 2, 30, (2026, 3, 29)).as_deref(),
            Some("2026-03-29T01:00:00+00:00")
        );
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_is_the_first_of_the_two() {
        assert_eq!(
            at("Europe/Berlin", 2, 30, (2026, 10, 25)).as_deref(),
            Some("2026-10-25T00:30:00+00:00")
        );
    }
}
