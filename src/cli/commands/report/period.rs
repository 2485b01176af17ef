//! The period of a report, and times, in words.

use chrono::{DateTime, NaiveTime, Timelike, Utc};

use super::timeline::local;
use crate::filter::{Selection, TimeRange, Zone, ZoneShifts};
use crate::time::{PostgresMicros, Timestamp, timestamp_text};

/// Times as the clocks of a zone show them.
#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) zone: Zone,
    pub(super) shifts: ZoneShifts,
}

impl Times {
    /// `2026-11-22 11:00:05`.
    pub(super) fn text(&self, time: PostgresMicros) -> String {
        let shift = i64::from(self.shifts.at(time)) * 1_000_000;
        let shown = match time.0 {
            i64::MIN | i64::MAX => time,
            other => PostgresMicros(other.saturating_add(shift)),
        };
        let text = timestamp_text(Timestamp::without_zone(shown)).replacen('T', " ", 1);
        match text.split_once('.') {
            Some((seconds, rest)) => format!(
                "{seconds}{}",
                rest.trim_start_matches(|it: char| it.is_ascii_digit() || it == 'Z')
            ),
            None => text,
        }
    }

    /// The same of an instant.
    pub(super) fn instant(&self, instant: DateTime<Utc>) -> String {
        self.text(instant.into())
    }

    /// The day that an instant is in, `2026-11-22`.
    pub(super) fn day(&self, instant: DateTime<Utc>) -> String {
        local(instant.into(), &self.shifts).format("%Y-%m-%d").to_string()
    }

    /// The period that a selection is about, as a heading.
    pub(super) fn heading(&self, selection: &Selection) -> String {
        if !selection.days.is_empty() {
            let days: Vec<String> = selection.days.iter().map(|day| self.range(day)).collect();
            return days.join(", ");
        }
        match (selection.created.is_unbounded(), selection.recorded.is_unbounded()) {
            (true, false) => format!("Recorded {}", self.range(&selection.recorded)),
            (true, true) => "Everything".to_owned(),
            _ => self.range(&selection.created),
        }
    }

    /// `22 Nov 2026, 10:00 – 23 Nov 2026, 10:00`; whole days by their dates.
    fn range(&self, range: &TimeRange) -> String {
        let shown = |instant: DateTime<Utc>| local(instant.into(), &self.shifts);
        let minutes = "%-d %b %Y, %H:%M";
        match (range.since.map(shown), range.until.map(shown)) {
            (Some(since), Some(until))
                if since.time() == NaiveTime::MIN && until.time() == NaiveTime::MIN =>
            {
                let last = until.date().pred_opt().unwrap_or(until.date());
                match since.date() == last {
                    true => since.format("%-d %B %Y").to_string(),
                    false => {
                        format!("{} – {}", since.format("%-d %b %Y"), last.format("%-d %b %Y"))
                    }
                }
            }
            (Some(since), Some(until)) if since.date() == until.date() && until.second() == 0 => {
                format!("{} – {}", since.format(minutes), until.format("%H:%M"))
            }
            (Some(since), Some(until)) => {
                format!("{} – {}", since.format(minutes), until.format(minutes))
            }
            (Some(since), None) => format!("Since {}", since.format(minutes)),
            (None, Some(until)) => format!("Until {}", until.format(minutes)),
            (None, None) => "Everything".to_owned(),
        }
    }
}
