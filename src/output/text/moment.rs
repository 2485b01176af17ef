//! Times as short as the other times beside them allow.

use std::borrow::Cow;

/// How long `2026-11-22T10:00:00.123456Z` is: every time between the years 0 and 9999.
const ISO_LENGTH: usize = 27;
/// Where its parts begin.
const MONTH: usize = 5;
const CLOCK: usize = 11;
const FRACTION: usize = 19;

/// Which part of a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) struct TimeForm {
    /// What is left out, because it is the same everywhere.
    begin: usize,
    /// How many digits of the second's fraction are left.
    digits: usize,
}

/// What is the same in all of some times.
#[derive(Debug, Clone, Default)]
pub(in crate::output) struct CommonTime {
    first: Option<String>,
    /// How much of the beginning is the same.
    prefix: usize,
    digits: usize,
}

impl CommonTime {
    /// Takes one more time into account, as [`timestamp_text`](crate::time::timestamp_text) writes
    /// it. One that can't be shortened, such as infinity, has no say.
    pub(in crate::output) fn add(&mut self, text: &str) {
        if text.len() != ISO_LENGTH {
            return;
        }
        let significant = text[FRACTION + 1..ISO_LENGTH - 1].trim_end_matches('0').len();
        self.digits = self.digits.max(significant.div_ceil(3) * 3);
        match &self.first {
            None => {
                self.first = Some(text.to_owned());
                self.prefix = CLOCK;
            }
            Some(first) => {
                let same = |end: usize| first[..end] == text[..end];
                self.prefix = [CLOCK, MONTH]
                    .into_iter()
                    .find(|end| *end <= self.prefix && same(*end))
                    .unwrap_or(0);
            }
        }
    }

    /// The shortest form that tells all times apart as the whole ones do.
    pub(in crate::output) fn exact(&self) -> TimeForm {
        TimeForm { begin: self.prefix, digits: self.digits }
    }

    /// The same with at most so many digits behind the second.
    pub(in crate::output) fn rounded(&self, digits: usize) -> TimeForm {
        TimeForm { digits: self.digits.min(digits), ..self.exact() }
    }

    /// What a form leaves out: `2026-11-22 UTC`. `None` where it leaves out nothing of the date.
    pub(in crate::output) fn caption(&self, form: TimeForm) -> Option<String> {
        let first = self.first.as_ref()?;
        (form.begin > 0).then(|| format!("{} UTC", &first[..form.begin - 1]))
    }
}

impl TimeForm {
    /// All of it.
    pub(in crate::output) const WHOLE: Self = Self { begin: 0, digits: 6 };

    /// The time of day to the millisecond, where the day is known.
    pub(in crate::output) const CLOCK: Self = Self { begin: CLOCK, digits: 3 };

    /// The day of a time, where this form leaves it out.
    pub(in crate::output) fn day(self, text: &str) -> Option<&str> {
        (self.begin == CLOCK && text.len() == ISO_LENGTH).then(|| &text[..CLOCK - 1])
    }

    /// The part of a time that is written.
    pub(in crate::output) fn of(self, text: &str) -> Cow<'_, str> {
        if self == Self::WHOLE || text.len() != ISO_LENGTH {
            return Cow::Borrowed(text);
        }
        let end = if self.digits == 0 { FRACTION } else { FRACTION + 1 + self.digits };
        let part = &text[self.begin..end];
        match self.begin {
            CLOCK => Cow::Borrowed(part),
            0 => Cow::Owned(format!("{part}Z")),
            _ => Cow::Owned(part.replacen('T', " ", 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(texts: &[&str]) -> CommonTime {
        let mut common = CommonTime::default();
        texts.iter().for_each(|text| common.add(text));
        common
    }

    #[test]
    fn what_all_times_share_is_said_once() {
        let shown = |texts: &[&str]| {
            let common = common(texts);
            let form = common.exact();
            (
                common.caption(form),
                texts.iter().map(|text| form.of(text)).collect::<Vec<_>>().join(" | "),
            )
        };
        let shown = [
            shown(&["2026-11-22T10:00:00.120000Z", "2026-11-22T23:59:59.123000Z"]),
            shown(&["2026-11-22T10:00:00.000000Z", "2026-12-01T10:00:00.000000Z", "infinity"]),
            shown(&["2026-11-22T10:00:00.000001Z", "2027-11-22T10:00:00.000000Z"]),
            shown(&["infinity", "20000-01-01T00:00:00.000000Z"]),
        ];
        let lines =
            shown.map(|(caption, texts)| format!("{}: {texts}", caption.unwrap_or_default()));
        insta::assert_snapshot!(lines.join("\n"), @r"
2026-11-22 UTC: 10:00:00.120 | 23:59:59.123
2026 UTC: 11-22 10:00:00 | 12-01 10:00:00 | infinity
: 2026-11-22T10:00:00.000001Z | 2027-11-22T10:00:00.000000Z
: infinity | 20000-01-01T00:00:00.000000Z
");
    }

    #[test]
    fn a_fraction_is_cut_where_there_is_no_room_for_it() {
        let common = common(&["2026-11-22T10:00:00.123456Z"]);
        let shown = |digits| common.rounded(digits).of("2026-11-22T10:00:00.123456Z").into_owned();
        assert_eq!([shown(3), shown(0)], ["10:00:00.123", "10:00:00"]);
    }
}
