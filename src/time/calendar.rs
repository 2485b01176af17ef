//! The proleptic Gregorian calendar, over the whole range of PostgreSQL's TIMESTAMP, which is
//! larger than chrono's: from 4713 BC to the year 294276.
//! Source of the arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

/// Days from 0000-03-01 to 1970-01-01.
const SHIFT: i64 = 719_468;

/// Days in 400 years.
const ERA: i64 = 146_097;

/// A day of the calendar. The year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year, astronomically: 0 is 1 BC.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, 1 to 31.
    pub day: i64,
}

impl Date {
    /// The day that lies this many days behind 1970-01-01 (`civil_from_days`).
    pub fn from_unix_days(days: i64) -> Self {
        let shifted = days + SHIFT;
        let era = shifted.div_euclid(ERA);
        let day_of_era = shifted.rem_euclid(ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Years begin in March here, so that the leap day is the last.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        }
    }

    /// How many days it lies behind 1970-01-01 (`days_from_civil`).
    pub fn unix_days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let month_from_march = (self.month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap_days + day_of_year - SHIFT
    }
}

/// How many days a month has; `month` is 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn days_become_dates_and_dates_days(days in -3_000_000i64..110_000_000) {
            let date = Date::from_unix_days(days);
            prop_assert_eq!(date.unix_days(), days);
            prop_assert!((1..=days_in_month(date.year, date.month)).contains(&date.day));
        }

        #[test]
        fn chrono_has_the_same_calendar(days in -719_162i32..2_932_896) {
            let expected = NaiveDate::from_epoch_days(days).expect("in chrono's range");
            let date = Date::from_unix_days(days.into());
            prop_assert_eq!(
                (date.year, date.month, date.day),
                (expected.year().into(), expected.month().into(), expected.day().into())
            );
        }
    }
}
