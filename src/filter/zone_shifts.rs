//! How far the clocks of a zone are from UTC over a range of time, and when that changed.

use chrono::{DateTime, Utc};

use super::zone::Zone;
use crate::time::{PostgresMicros, UnixMicros};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// The seconds from 1840-01-01 to 2101-01-01, between which zones change.
const KNOWN: (i64, i64) = (-4_102_444_800, 4_133_980_800);

/// What is between UTC and the clocks of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneShifts {
    /// When it changed, in the order of time.
    changes: Vec<PostgresMicros>,
    /// Seconds east of UTC: before the first change, then from each change on.
    seconds: Vec<i32>,
}

impl ZoneShifts {
    /// No difference at all.
    pub fn utc() -> Self {
        Self { changes: Vec::new(), seconds: vec![0] }
    }

    /// Those of `zone` between two instants; beyond them the first and the last one go on.
    pub fn of(zone: &Zone, since: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        const DAY: i64 = 86_400;
        let within = |instant: DateTime<Utc>| instant.timestamp().clamp(KNOWN.0, KNOWN.1);
        let (mut time, end) = (within(since), within(until));
        let mut shifts = Self { changes: Vec::new(), seconds: vec![zone.seconds_east(time)] };
        while time < end {
            let next = (time + DAY).min(end);
            let (before, after) = (zone.seconds_east(time), zone.seconds_east(next));
            if before != after {
                let (mut low, mut high) = (time, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if zone.seconds_east(middle) == before { low = middle } else { high = middle }
                }
                shifts.changes.push(UnixMicros(high * SECOND).into());
                shifts.seconds.push(after);
            }
            time = next;
        }
        shifts
    }

    /// When the shift changes, in the order of time.
    pub fn changes(&self) -> &[PostgresMicros] {
        &self.changes
    }

    /// Seconds east of UTC: before the first change, then from each change on.
    pub fn seconds(&self) -> &[i32] {
        &self.seconds
    }

    /// Whether the clocks show UTC throughout.
    pub fn is_utc(&self) -> bool {
        self.seconds.iter().all(|seconds| *seconds == 0)
    }

    /// Whether an hour of UTC is an hour of these clocks throughout.
    pub fn is_on_whole_hours(&self) -> bool {
        self.seconds.iter().all(|seconds| seconds % 3_600 == 0)
            && self.changes.iter().all(|change| change.0 % HOUR == 0)
    }

    /// Seconds east of UTC at an instant.
    pub fn at(&self, instant: PostgresMicros) -> i32 {
        let index = self.changes.partition_point(|change| *change <= instant);
        self.seconds.get(index).copied().unwrap_or_default()
    }

    /// What the clocks show at an instant, as if it were UTC, and the seconds between the two. The
    /// infinities stay themselves.
    pub fn wall_clock(&self, instant: PostgresMicros) -> (PostgresMicros, i32) {
        if [i64::MIN, i64::MAX].contains(&instant.0) {
            return (instant, 0);
        }
        let seconds = self.at(instant);
        (PostgresMicros(instant.0.saturating_add(i64::from(seconds) * SECOND)), seconds)
    }

    /// What the clocks show at an instant, as if it were UTC, and the seconds between the two. Of
    /// the first instant of an hour that the clocks changed in, the shift is the one with which the
    /// hour is whole.
    pub fn wall_clock_of_hour(&self, instant: PostgresMicros) -> (PostgresMicros, i32) {
        if [i64::MIN, i64::MAX].contains(&instant.0) {
            return (instant, 0);
        }
        let shown =
            |seconds: i32| PostgresMicros(instant.0.saturating_add(i64::from(seconds) * SECOND));
        let at_begin = self.at(instant);
        let at_end = self.at(PostgresMicros(instant.0.saturating_add(HOUR - 1)));
        let is_whole = |seconds: i32| shown(seconds).0 % HOUR == 0;
        let seconds = if is_whole(at_end) && !is_whole(at_begin) { at_end } else { at_begin };
        (shown(seconds), seconds)
    }
}

/// `+02:00`, `Z` at UTC; with seconds where the clocks once went by the sun.
pub fn offset_text(seconds: i32) -> String {
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let text = format!("{sign}{:02}:{:02}", all / 3_600, all / 60 % 60);
    if all.is_multiple_of(60) { text } else { format!("{text}:{:02}", all % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").with_timezone(&Utc)
    }

    fn shifts(zone: &str, since: &str, until: &str) -> ZoneShifts {
        ZoneShifts::of(&zone.parse().expect("a zone"), instant(since), instant(until))
    }

    #[test]
    fn clocks_show_an_instant_by_the_shift_that_was_in_force() {
        let island = shifts("Australia/Lord_Howe", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let shown = |text: &str| {
            let (local, seconds) = island.wall_clock(instant(text).into());
            (local.instant().format("%d %H:%M").to_string(), offset_text(seconds))
        };
        assert_eq!(shown("2026-04-04T14:30:00Z"), ("05 01:30".into(), "+11:00".into()));
        assert_eq!(shown("2026-10-03T15:00:00Z"), ("04 01:30".into(), "+10:30".into()));
        let ends = [i64::MIN, i64::MAX].map(PostgresMicros);
        assert_eq!(ends.map(|end| island.wall_clock(end)), ends.map(|end| (end, 0)));
        assert_eq!(ends.map(|end| island.wall_clock_of_hour(end)), ends.map(|end| (end, 0)));
    }

    #[test]
    fn a_year_of_berlin_has_two_changes() {
        let berlin = shifts("Europe/Berlin", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let changes = ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"];
        assert_eq!(berlin.changes(), changes.map(|text| PostgresMicros::from(instant(text))));
        assert_eq!(berlin.seconds(), [3_600, 7_200, 3_600]);
        assert!(berlin.is_on_whole_hours() && !berlin.is_utc());
        assert_eq!(berlin.at(instant("2026-03-29T00:59:59Z").into()), 3_600);
        assert_eq!(berlin.at(instant("2026-03-29T01:00:00Z").into()), 7_200);
    }

    #[test]
    fn half_hours_and_clocks_that_went_by_the_sun_are_not_on_whole_hours() {
        let is_whole = |zone, since, until| shifts(zone, since, until).is_on_whole_hours();
        let (since, until) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        for zone in ["Asia/Kolkata", "+05:45", "Australia/Lord_Howe", "America/St_Johns"] {
            assert!(!is_whole(zone, since, until), "{zone}");
        }
        assert!(is_whole("+14:00", since, until) && is_whole("UTC", since, until));
        // Until 1893 it was 53 minutes and 28 seconds.
        assert!(!is_whole("Europe/Berlin", "1890-01-01T00:00:00Z", until));
    }

    #[test]
    fn an_hour_in_which_the_clocks_change_is_told_by_the_shift_that_makes_it_whole() {
        // The clocks of Lord Howe go back from 02:00 to 01:30.
        let howe = shifts("Australia/Lord_Howe", "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
        let shown = |text: &str| {
            let (time, seconds) = howe.wall_clock_of_hour(instant(text).into());
            let time = crate::time::timestamp_text(crate::time::Timestamp::without_zone(time));
            format!("{}{}", &time[..16], offset_text(seconds))
        };
        assert_eq!(shown("2026-04-04T14:00:00Z"), "2026-04-05T01:00+11:00");
        assert_eq!(shown("2026-04-04T14:30:00Z"), "2026-04-05T01:00+10:30");
        assert_eq!(shown("2026-04-04T15:30:00Z"), "2026-04-05T02:00+10:30");
    }

    #[test]
    fn offsets_are_written_as_rfc_3339_has_them() {
        assert_eq!(
            [0, 7_200, -12_600, 3_208].map(offset_text),
            ["Z", "+02:00", "-03:30", "+00:53:28"]
        );
    }
}
