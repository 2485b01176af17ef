//! Which short spans of time hold a fair sample of many events.

use chrono::{DateTime, Duration, Utc};

use crate::filter::TimeRange;

/// How many spans there are. As a prime, it puts them at every hour of the day.
const WINDOWS: u64 = 101;

/// How many events an hour has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// When the hour begins.
    pub begin: DateTime<Utc>,
    /// How many events happened in it.
    pub events: u64,
}

/// Spans of time within `period` that together have about so many events, as far apart as if all
/// events stood in a row: busy hours have more of them. The hours are in the order of time. The
/// same hours give the same spans.
pub fn windows(hours: &[HourCount], period: TimeRange, events: u64) -> Vec<TimeRange> {
    let all: u64 = hours.iter().map(|hour| hour.events).sum();
    let (mut windows, mut before) = (Vec::new(), 0);
    let mut hours = hours.iter();
    let mut hour = hours.next();
    for number in 0..WINDOWS {
        let place =
            (u128::from(all) * (2 * u128::from(number) + 1) / (2 * u128::from(WINDOWS))) as u64;
        while let Some(passed) = hour.filter(|hour| before + hour.events <= place) {
            before += passed.events;
            hour = hours.next();
        }
        let Some(hour) = hour else { break };
        let share = |events: u64| {
            let hour_us = 3_600_000_000_u128;
            Duration::microseconds((hour_us * u128::from(events) / u128::from(hour.events)) as i64)
        };
        let begin = hour.begin + share(place - before);
        // An hour with few events is no longer than it is.
        let end = begin + share((events / WINDOWS).clamp(1, hour.events));
        let since = period.since.map_or(begin, |since| since.max(begin));
        let until = period.until.map_or(end, |until| until.min(end));
        if since < until {
            windows.push(TimeRange { since: Some(since), until: Some(until) });
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(events: impl IntoIterator<Item = u64>) -> Vec<HourCount> {
        let hour = |(number, events): (usize, u64)| HourCount {
            begin: DateTime::UNIX_EPOCH + Duration::hours(number as i64),
            events,
        };
        events.into_iter().enumerate().map(hour).collect()
    }

    /// How many windows begin in each hour of the day.
    fn by_hour_of_day(windows: &[TimeRange]) -> Vec<usize> {
        let hour_of =
            |window: &TimeRange| window.since.map_or(0, |since| since.timestamp() / 3_600 % 24);
        (0..24)
            .map(|hour| windows.iter().filter(|window| hour_of(window) == hour).count())
            .collect()
    }

    #[test]
    fn every_hour_of_the_day_has_its_share_over_thirty_days() {
        let even = windows(&hours(std::iter::repeat_n(1_000, 720)), TimeRange::default(), 20_200);
        assert_eq!(even.len(), 101);
        assert!(by_hour_of_day(&even).iter().all(|count| (4..=5).contains(count)), "{even:?}");
        // Each has 200 of the thousand events of its hour.
        assert!(even.iter().all(|window| {
            let length = window.until.zip(window.since).map(|(until, since)| until - since);
            length == Some(Duration::seconds(720))
        }));
        let busy_noon = (0..720).map(|hour| if hour % 24 == 12 { 23_000 } else { 1_000 });
        let windows = windows(&hours(busy_noon), TimeRange::default(), 20_200);
        assert!((49..=52).contains(&by_hour_of_day(&windows)[12]), "{windows:?}");
    }

    #[test]
    fn they_stay_within_the_period_and_hours_without_events_have_none() {
        let time = |hours: i64| DateTime::UNIX_EPOCH + Duration::minutes(hours * 60 + 30);
        let period = TimeRange { since: Some(time(0)), until: Some(time(3)) };
        let windows = windows(&hours([5, 0, 0, 5]), period, 1_000);
        assert!(
            windows
                .iter()
                .all(|window| { window.since >= period.since && window.until <= period.until })
        );
        assert!(!windows.is_empty());
        assert_eq!(super::windows(&[], period, 1_000), []);
    }
}
