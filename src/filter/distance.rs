//! Distances in time, such as `1h30m` and `2 months`.

use chrono::{DateTime, Duration, Months, Utc};

use super::error::Error;
use super::zone::Zone;

/// How far away something is. Months and years have no length of their own: they are counted in
/// the calendar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Distance {
    months: u32,
    microseconds: i64,
}

/// In which direction to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Before,
    After,
}

impl Distance {
    /// Reads `5m`, `1h30m`, `1.5h`, `2 hours`, `1 month 2 days`; in any case, but for `M`, which is
    /// a month elsewhere and would be a minute here. A day is 24 hours.
    pub(super) fn read(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let mut rest = lower.as_str();
        let mut distance = Self::default();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|character: char| !is_numeric(character))?;
            let (number, after) = rest.split_at(end);
            let after = after.trim_start();
            let end = after
                .find(|character: char| !character.is_ascii_alphabetic())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let at = lower.len() - after.len();
            if unit == "m" && text.trim().as_bytes().get(at - 1) == Some(&b'M') {
                return None;
            }
            distance.add(number, unit)?;
            rest = after.trim_start();
        }
        Some(distance)
    }

    fn add(&mut self, number: &str, unit: &str) -> Option<()> {
        if let Some(months) = months_of(unit) {
            let count = number.parse::<u32>().ok()?.checked_mul(months)?;
            self.months = self.months.checked_add(count)?;
            return Some(());
        }
        let unit = microseconds_of(unit)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        // More digits than this would say nothing: the smallest unit is a microsecond.
        let fraction = fraction.get(..fraction.len().min(15))?;
        let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part = fraction.parse::<i128>().ok()?.checked_mul(unit.into())? / scale;
        let whole = whole.parse::<i64>().ok()?.checked_mul(unit)?;
        let sum = whole.checked_add(i64::try_from(part).ok()?)?;
        self.microseconds = self.microseconds.checked_add(sum)?;
        Some(())
    }

    /// The instant that is so far away. Months are counted on the calendar of the zone: a day that
    /// the month does not have is its last one.
    pub(super) fn from(
        self,
        instant: DateTime<Utc>,
        direction: Direction,
        zone: Zone,
    ) -> Option<DateTime<Utc>> {
        let months = Months::new(self.months);
        let rest = Duration::microseconds(self.microseconds);
        let shifted = match (self.months, direction) {
            (0, _) => instant,
            (_, Direction::Before) => {
                zone.instant(zone.wall_clock(instant).checked_sub_months(months)?)?
            }
            (_, Direction::After) => {
                zone.instant(zone.wall_clock(instant).checked_add_months(months)?)?
            }
        };
        match direction {
            Direction::Before => shifted.checked_sub_signed(rest),
            Direction::After => shifted.checked_add_signed(rest),
        }
    }
}

/// Reads a length of time, `10m`, `1h30m`, `2 days`, in microseconds.
///
/// # Errors
/// `Error::Duration` with the text; months and years have no length.
pub fn duration(text: &str) -> Result<i64, Error> {
    let distance = Distance::read(text).filter(|distance| distance.months == 0);
    distance
        .map(|distance| distance.microseconds)
        .ok_or_else(|| Error::Duration(text.trim().to_owned()))
}

fn is_numeric(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

fn microseconds_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * 1_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600 * 1_000_000,
        "d" | "day" | "days" => 86_400 * 1_000_000,
        "w" | "week" | "weeks" => 7 * 86_400 * 1_000_000,
        _ => return None,
    })
}

fn months_of(unit: &str) -> Option<u32> {
    Some(match unit {
        "mo" | "month" | "months" => 1,
        "y" | "yr" | "year" | "years" => 12,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_fractions_count() {
        let microseconds = |text: &str| Distance::read(text).map(|distance| distance.microseconds);
        assert_eq!(microseconds("1h30m"), Some(5_400_000_000));
        assert_eq!(microseconds("1.5h"), microseconds("90 min"));
        assert_eq!(microseconds("1 Day 2 hours"), microseconds("26h"));
        assert_eq!(microseconds("250ms"), Some(250_000));
        let months = Distance::read("1 year 2 months 3d");
        assert_eq!(months, Some(Distance { months: 14, microseconds: 259_200_000_000 }));
    }

    #[test]
    fn a_length_has_no_months() {
        assert_eq!(duration("1h30m"), Ok(5_400_000_000));
        let refused = duration(" 2 months ").map_err(|error| error.to_string());
        assert_eq!(
            refused,
            Err("'2 months' is no length of time; write '30s', '10m', '1h30m' or '2 days'"
                .to_owned())
        );
    }

    #[test]
    fn what_is_no_distance_is_not_taken_for_one() {
        for wrong in [
            "",
            " ",
            "5",
            "m",
            "5x",
            "1.5 months",
            "1..5h",
            ".h",
            "h5",
            "1h 5",
            "-1h",
            "1M",
            "2h5M",
        ] {
            assert_eq!(Distance::read(wrong), None, "{wrong}");
        }
        assert_eq!(Distance::read("99999999999999999d"), None);
        assert_eq!(Distance::read("9999999999y"), None);
    }
}
