//! The stories from which what is usual is learned, and what is said of it.

use chrono::{DateTime, Duration, SubsecRound, Utc};
use indicatif::HumanCount;

use crate::analysis::{TypeCount, Usual};
use crate::cli::ui::Failure;
use crate::filter::{Selection, TimeRange, rfc3339};
use crate::store;
use crate::store::{LearnFrom, Learned, Session};

/// From how long before it is learned, in days.
const DAYS: i64 = 30;

/// What is learned without --since, from before so many hours.
const HOURS: i64 = 24;

/// Up to so many events everything is read, of more a sample that is read in some tenths of a
/// second.
const LEARN_FROM: LearnFrom = LearnFrom { all_of: 200_000, sample: 12_000 };

/// How many ends are named.
const NAMED: usize = 6;

/// When the stories began from which it is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct History {
    begin: DateTime<Utc>,
    /// At the beginning or before it where there is nothing.
    end: DateTime<Utc>,
}

impl History {
    /// The 30 days before those that are judged.
    pub(crate) fn before(selection: &Selection, now: DateTime<Utc>) -> Self {
        let Selection { created, days, .. } = selection;
        let since = created.since.or_else(|| days.iter().filter_map(|day| day.since).min());
        let end = since.unwrap_or(now - Duration::hours(HOURS));
        let begin = end.checked_sub_signed(Duration::days(DAYS)).unwrap_or(end);
        // Without a beginning, everything before --until is judged.
        match (since, created.until) {
            (None, Some(until)) => Self { begin: begin.max(until), end },
            _ => Self { begin, end },
        }
    }

    /// Learns what is usual.
    pub(crate) async fn learn(self, session: &Session) -> Result<Learned, Failure> {
        if self.begin >= self.end {
            return Ok(Learned { usual: Usual::default(), of_about: None });
        }
        let period = TimeRange { since: Some(self.begin), until: Some(self.end) };
        Ok(store::learn(session, period, LEARN_FROM).await?)
    }

    /// What was learned, a line each: from what, and with which types stories end.
    pub(crate) fn told(self, learned: &Learned) -> [String; 2] {
        let Learned { usual, of_about } = learned;
        [
            format!("learned from {}", self.from(usual, *of_about)),
            format!("they end with {}", ends(usual)),
        ]
    }

    fn from(self, usual: &Usual, of_about: Option<u64>) -> String {
        let stories = HumanCount(usual.stories);
        let of_about = of_about
            .map(|all| format!(" of about {}", HumanCount(rounded(all))))
            .unwrap_or_default();
        let are = if usual.stories == 1 { "story" } else { "stories" };
        format!("{stories}{of_about} {are} that began {}", self.text())
    }

    fn text(self) -> String {
        let [begin, end] = [self.begin, self.end].map(|time| rfc3339(time.trunc_subsecs(0)));
        format!("from {begin} until {end}")
    }

    /// The failure where nothing ends a story.
    pub(crate) fn nothing(self, is_within_given: bool) -> Failure {
        let within =
            if is_within_given { "" } else { ", and --within 10m how long it may be silent" };
        let looked_at = match self.begin < self.end {
            true => format!("no story began {}", self.text()),
            false => "everything before --until is judged".to_owned(),
        };
        Failure::new(format!("nothing to learn from: {looked_at}"))
            .with_hint(format!("say with --end TYPE what ends a story{within}"))
    }

    /// What is said where only the ends are given.
    pub(crate) fn nothing_known(self) -> String {
        let looked_at = match self.begin < self.end {
            true => format!(": no story began {}", self.text()),
            false => String::new(),
        };
        format!(
            "nothing is known of how long a story may be silent{looked_at}; every story that did not end is \
             stuck, and --within 10m leaves out those under way"
        )
    }
}

/// The types that end stories, with their shares.
fn ends(usual: &Usual) -> String {
    let share = |end: &TypeCount| {
        let percent = end.count as f64 * 100.0 / usual.stories as f64;
        format!("{} ({percent:.1} %)", end.name)
    };
    let mut named: Vec<_> = usual.ends.iter().take(NAMED).map(share).collect();
    match usual.ends.len().saturating_sub(NAMED) {
        _ if named.is_empty() => return "no type in 1 of 100 stories or more".to_owned(),
        0 => {}
        more => named.push(format!("{more} more")),
    }
    named.join(", ")
}

/// The two digits that an estimate is worth.
fn rounded(number: u64) -> u64 {
    let digits = number.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(1));
    (number + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Clock;
    use crate::filter::Zone;

    fn time(text: &str) -> DateTime<Utc> {
        let clock = Clock { now: DateTime::UNIX_EPOCH, zone: Zone::utc() };
        clock.time(text).expect("a time")
    }

    fn text(created: TimeRange, days: Vec<TimeRange>) -> String {
        let selection = Selection { created, days, ..Selection::default() };
        History::before(&selection, time("2026-11-22T12:00:00Z")).text()
    }

    #[test]
    fn it_is_learned_from_before_what_is_judged() {
        let range = |since: &str, until: &str| TimeRange {
            since: Some(since).filter(|text| !text.is_empty()).map(time),
            until: Some(until).filter(|text| !text.is_empty()).map(time),
        };
        let before_21 = "from 2026-10-22T00:00:00Z until 2026-11-21T00:00:00Z";
        assert_eq!(text(range("2026-11-21", ""), Vec::new()), before_21);
        let days = vec![range("2026-11-22", "2026-11-23"), range("2026-11-21", "2026-11-22")];
        assert_eq!(text(TimeRange::default(), days), before_21);
        // Everything before --until is judged.
        assert_eq!(
            text(range("", "2026-11-20"), Vec::new()),
            "from 2026-11-20T00:00:00Z until 2026-11-21T12:00:00Z"
        );
        let nothing = History::before(
            &Selection { created: range("", "2026-11-22"), ..Selection::default() },
            time("2026-11-22T12:00:00Z"),
        );
        assert_eq!(
            nothing.nothing(false).message(),
            "nothing to learn from: everything before --until is judged"
        );
    }

    #[test]
    fn an_estimate_has_two_digits() {
        assert_eq!([2_412_345, 1_867, 7, 0].map(rounded), [2_400_000, 1_900, 7, 0]);
    }
}
