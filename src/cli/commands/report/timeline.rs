//! Spans of time for a chart: how long they are, which one a group of events is, and their names.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::filter::ZoneShifts;
use crate::store::Grouping;
use crate::time::PostgresMicros;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The longest period that is told apart by each unit: no chart has more than some 200 bars, but
/// by months.
const LONGEST: [(Unit, i64); 5] = [
    (Unit::Minute, 3 * HOUR),
    (Unit::Hour, 8 * DAY),
    (Unit::Day, 200 * DAY),
    (Unit::Week, 1_400 * DAY),
    (Unit::Month, 36_525 * DAY),
];

/// How many labels stand below a chart at most.
const MOST_LABELS: usize = 9;

/// How long the spans are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    /// The one that fits a period; `None` where it is too long for a chart.
    fn of(microseconds: i64) -> Option<Self> {
        let fits = LONGEST.iter().find(|(_, longest)| microseconds <= *longest);
        fits.map(|(unit, _)| *unit)
    }

    /// What events are grouped by.
    pub(super) fn grouping(self) -> Grouping {
        match self {
            Self::Minute => Grouping::Minute,
            Self::Hour => Grouping::Hour,
            Self::Day => Grouping::Day,
            Self::Week => Grouping::Week,
            Self::Month => Grouping::Month,
        }
    }

    /// Its name behind an article.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minute => "a minute",
            Self::Hour => "an hour",
            Self::Day => "a day",
            Self::Week => "a week",
            Self::Month => "a month",
        }
    }
}

/// The spans of a period, each by its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans<'a> {
    pub(super) unit: Unit,
    shifts: &'a ZoneShifts,
    first: i64,
    count: usize,
}

impl<'a> Spans<'a> {
    /// The spans from the one of `since` to the one of the last instant before `until`; `None`
    /// where the period is too long, or beyond the calendar.
    pub(super) fn new(
        since: PostgresMicros,
        until: PostgresMicros,
        shifts: &'a ZoneShifts,
    ) -> Option<Self> {
        let unit = Unit::of(until.since(since))?;
        let number = |time: PostgresMicros| number(unit, local(time, shifts), shifts.at(time));
        let (first, last) = (number(since)?, number(PostgresMicros(until.0.saturating_sub(1)))?);
        let count = usize::try_from(last - first + 1).ok()?;
        Some(Self { unit, shifts, first, count })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Which one a group is, by the key that counting gives it.
    pub(super) fn index(&self, key: &str) -> Option<usize> {
        let number = match self.unit {
            Unit::Minute | Unit::Hour => {
                let (minutes, offset) = key.split_at_checked(16)?;
                let instant =
                    DateTime::parse_from_rfc3339(&format!("{minutes}:00{offset}")).ok()?;
                let east = instant.offset().local_minus_utc();
                number(self.unit, instant.naive_local(), east)?
            }
            Unit::Day | Unit::Week => {
                let day = NaiveDate::parse_from_str(key, "%Y-%m-%d").ok()?;
                number(self.unit, day.and_hms_opt(0, 0, 0)?, 0)?
            }
            Unit::Month => {
                let day = NaiveDate::parse_from_str(&format!("{key}-01"), "%Y-%m-%d").ok()?;
                number(self.unit, day.and_hms_opt(0, 0, 0)?, 0)?
            }
        };
        usize::try_from(number - self.first).ok().filter(|index| *index < self.count)
    }

    /// When one begins, as the clocks show it.
    fn begin(&self, index: usize) -> Option<NaiveDateTime> {
        let number = self.first + i64::try_from(index).ok()?;
        match self.unit {
            Unit::Minute | Unit::Hour => {
                let length = if self.unit == Unit::Hour { HOUR } else { MINUTE };
                // Hours of zones that are not on whole hours of UTC begin between these.
                let rest = i64::from(self.shifts.seconds().first()?.rem_euclid(3_600)) * SECOND;
                let unix = number * length - if self.unit == Unit::Hour { rest } else { 0 };
                let time = PostgresMicros::from(DateTime::from_timestamp_micros(unix)?);
                Some(local(time, self.shifts))
            }
            Unit::Day => day(number)?.and_hms_opt(0, 0, 0),
            // The first day of 1970 was a Thursday.
            Unit::Week => day(number * 7 - 3)?.and_hms_opt(0, 0, 0),
            Unit::Month => {
                let year = i32::try_from(number.div_euclid(12)).ok()?;
                let month = u32::try_from(number.rem_euclid(12)).ok()? + 1;
                NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)
            }
        }
    }

    /// The name of one.
    pub(super) fn name(&self, index: usize) -> String {
        let format = match self.unit {
            Unit::Minute | Unit::Hour => "%a %-d %b, %H:%M",
            Unit::Day => "%a %-d %b %Y",
            Unit::Week => "week from %-d %b %Y",
            Unit::Month => "%b %Y",
        };
        self.begin(index).map(|begin| begin.format(format).to_string()).unwrap_or_default()
    }

    /// The labels below the chart, each with its place: as many as are easily read.
    pub(super) fn labels(&self) -> Vec<(usize, String)> {
        let steps: &[i64] = match self.unit {
            Unit::Minute => &[1, 2, 5, 10, 15, 30, 60],
            Unit::Hour => &[1, 3, 6, 12, 24],
            Unit::Day => &[1, 7, 14, 28],
            Unit::Week => &[1, 2, 4, 13, 26],
            Unit::Month => &[1, 3, 6, 12, 24, 60, 120],
        };
        let at = |step: i64| {
            let is_labelled = move |index: &usize| {
                self.begin(*index).is_some_and(|begin| self.position(begin) % step == 0)
            };
            (0..self.count).filter(is_labelled).collect::<Vec<_>>()
        };
        let few = steps.iter().map(|step| at(*step)).find(|places| places.len() <= MOST_LABELS);
        let places = few.unwrap_or_else(|| {
            (0..self.count).step_by(self.count.div_ceil(MOST_LABELS).max(1)).collect()
        });
        places.into_iter().map(|index| (index, self.label(index))).collect()
    }

    /// A number of which every so many are labelled: 14:00 is one of every two hours.
    fn position(&self, begin: NaiveDateTime) -> i64 {
        let seconds = begin.and_utc().timestamp();
        match self.unit {
            Unit::Minute => seconds.div_euclid(60) % (24 * 60),
            Unit::Hour => seconds.div_euclid(3_600) % 24,
            Unit::Day => seconds.div_euclid(86_400) + 3,
            Unit::Week => (seconds.div_euclid(86_400) + 3) / 7,
            Unit::Month => i64::from(begin.year()) * 12 + i64::from(begin.month0()),
        }
    }

    fn label(&self, index: usize) -> String {
        let Some(begin) = self.begin(index) else { return String::new() };
        let is_midnight = begin.time() == chrono::NaiveTime::MIN;
        let format = match self.unit {
            Unit::Minute | Unit::Hour if !is_midnight => "%H:%M",
            Unit::Minute | Unit::Hour | Unit::Day | Unit::Week => "%-d %b",
            Unit::Month => "%b %Y",
        };
        begin.format(format).to_string()
    }
}

/// What the clocks show.
pub(super) fn local(time: PostgresMicros, shifts: &ZoneShifts) -> NaiveDateTime {
    let shift = i64::from(shifts.at(time)) * SECOND;
    PostgresMicros(time.0.saturating_add(shift)).instant().naive_utc()
}

/// The number of the span that a time of the clocks is in, which are `east` seconds ahead of UTC.
fn number(unit: Unit, local: NaiveDateTime, east: i32) -> Option<i64> {
    let seconds = local.and_utc().timestamp();
    let days = seconds.div_euclid(86_400);
    Some(match unit {
        Unit::Minute => (seconds - i64::from(east)).div_euclid(60),
        // Whole hours of the clocks, told apart by UTC: an hour that comes twice is two.
        Unit::Hour => (seconds - i64::from(east - east.rem_euclid(3_600))).div_euclid(3_600),
        Unit::Day => days,
        Unit::Week => (days + 3).div_euclid(7),
        Unit::Month => i64::from(local.year()) * 12 + i64::from(local.month0()),
    })
}

fn day(number: i64) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp(number.checked_mul(86_400)?, 0)?.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> PostgresMicros {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc().into()
    }

    fn shifts(zone: &str) -> ZoneShifts {
        let instant = |text: &str| time(text).instant();
        ZoneShifts::of(
            &zone.parse().expect("a zone"),
            instant("2026-01-01T00:00:00Z"),
            instant("2027-01-01T00:00:00Z"),
        )
    }

    /// The unit, how many spans, the first and last name, the labels.
    fn shown(since: &str, until: &str, zone: &str) -> String {
        let shifts = shifts(zone);
        let Some(spans) = Spans::new(time(since), time(until), &shifts) else {
            return "none".to_owned();
        };
        let labels: Vec<String> = spans.labels().into_iter().map(|(_, label)| label).collect();
        format!(
            "{} {}: {} … {} | {}",
            spans.count(),
            spans.unit.name(),
            spans.name(0),
            spans.name(spans.count() - 1),
            labels.join(" ")
        )
    }

    #[test]
    fn spans_and_labels_fit_the_period() {
        let shown = [
            shown("2026-11-22T10:00:00Z", "2026-11-22T10:30:00Z", "UTC"),
            shown("2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z", "Europe/Berlin"),
            shown("2026-11-19T10:20:00Z", "2026-11-26T10:20:00Z", "Asia/Kolkata"),
            shown("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "UTC"),
            shown("2025-11-22T10:00:00Z", "2026-11-22T10:00:00Z", "UTC"),
            shown("2016-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "UTC"),
            shown("1800-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "UTC"),
        ];
        insta::assert_snapshot!(shown.join("\n"), @r"
30 a minute: Sun 22 Nov, 10:00 … Sun 22 Nov, 10:29 | 10:00 10:05 10:10 10:15 10:20 10:25
24 an hour: Sun 22 Nov, 11:00 … Mon 23 Nov, 10:00 | 12:00 15:00 18:00 21:00 23 Nov 03:00 06:00 09:00
169 an hour: Thu 19 Nov, 15:00 … Thu 26 Nov, 15:00 | 20 Nov 21 Nov 22 Nov 23 Nov 24 Nov 25 Nov 26 Nov
31 a day: Thu 1 Oct 2026 … Sat 31 Oct 2026 | 5 Oct 12 Oct 19 Oct 26 Oct
53 a week: week from 17 Nov 2025 … week from 16 Nov 2026 | 19 Jan 20 Apr 20 Jul 19 Oct
120 a month: Jan 2016 … Dec 2025 | Jan 2016 Jan 2018 Jan 2020 Jan 2022 Jan 2024
none
");
    }

    #[test]
    fn every_group_has_the_span_that_is_named_like_it() {
        let (since, until) = ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        let shifts = shifts("Europe/Berlin");
        let spans = Spans::new(time(since), time(until), &shifts).expect("a short period");
        assert_eq!(spans.count(), 25);
        // The hour from two to three comes twice.
        let index = |key| spans.index(key).map(|index| (index, spans.name(index)));
        assert_eq!(index("2026-10-25T02:00+02:00"), Some((2, "Sun 25 Oct, 02:00".to_owned())));
        assert_eq!(index("2026-10-25T02:00+01:00"), Some((3, "Sun 25 Oct, 02:00".to_owned())));
        assert_eq!(index("2026-10-25T23:00+01:00"), Some((24, "Sun 25 Oct, 23:00".to_owned())));
        for key in ["2026-10-26T00:00+01:00", "infinity", "2026-10-25", "", "ää"] {
            assert_eq!(index(key), None, "{key}");
        }
        let kolkata = self::shifts("Asia/Kolkata");
        let spans = Spans::new(time(since), time(until), &kolkata).expect("a short period");
        let index = spans.index("2026-10-25T04:00+05:30").expect("within the period");
        assert_eq!(spans.name(index), "Sun 25 Oct, 04:00");
        let days = Spans::new(time("2026-06-01T00:00:00Z"), time(until), &shifts).expect("days");
        assert_eq!(days.index("2026-06-02"), Some(1));
        assert_eq!(days.name(1), "Tue 2 Jun 2026");
    }
}
