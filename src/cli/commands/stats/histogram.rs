//! A histogram over time, drawn with characters.

use std::io::{self, Write};

use crate::output::{Style, palette};
use crate::store::TimeBucket;
use crate::time::{PostgresMicros, Timestamp, timestamp_text};

/// The most lines that are drawn, unless the spans would become longer than a year.
const LINES: i64 = 24;

/// The spans to choose from, in seconds.
const STEPS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
    604_800, 2_592_000, 31_536_000,
];

/// The span of one line, in seconds, for a range in microseconds.
pub(crate) fn step_seconds(microseconds: i64) -> i64 {
    let seconds = microseconds / 1_000_000;
    STEPS.into_iter().find(|step| seconds / step < LINES).unwrap_or(STEPS[STEPS.len() - 1])
}

/// Draws one line for each span, the empty ones between two others included. The part of a bar that
/// is dead letters is red.
pub(crate) fn write_histogram(
    buckets: &[TimeBucket],
    step_seconds: i64,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let most = buckets.iter().map(|bucket| bucket.rows).max().unwrap_or(1).max(1);
    let times = buckets.iter().map(|bucket| time(bucket.begin.0).len()).max().unwrap_or(0);
    let digits = most.to_string().len();
    let width =
        usize::from(style.width.unwrap_or(80)).saturating_sub(times + digits + 3).clamp(1, 100);
    let step = step_seconds.saturating_mul(1_000_000);
    let mut expected: Option<i64> = None;
    for bucket in buckets {
        let skipped = expected.map_or(0, |expected| bucket.begin.0.saturating_sub(expected) / step);
        if skipped > LINES {
            writeln!(output, "{:times$}  {:>digits$}", "…", 0)?;
        } else {
            for index in 0..skipped {
                let begin = expected.unwrap_or_default() + index * step;
                writeln!(output, "{:times$}  {:>digits$}", time(begin), 0)?;
            }
        }
        let dead = (bucket.dead_letters as f64 / most as f64 * width as f64).round() as usize;
        let rest = bar((bucket.rows as f64 / most as f64 * width as f64) - dead as f64);
        writeln!(
            output,
            "{:times$}  {:>digits$} {}{rest}",
            time(bucket.begin.0),
            bucket.rows,
            palette::paint(style.color, palette::BAR, "█".repeat(dead))
        )?;
        expected = bucket.begin.0.checked_add(step);
    }
    Ok(())
}

/// `2026-11-22T10:00:00Z`, and longer beyond the year 9999 and before the year 1.
fn time(begin: i64) -> String {
    timestamp_text(Timestamp::without_zone(PostgresMicros(begin))).replacen(".000000Z", "Z", 1)
}

/// A bar with a resolution of an eighth of a character.
fn bar(length: f64) -> String {
    let eighths = (length.max(0.0) * 8.0).round() as usize;
    let end = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{end}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_without_events_are_drawn_and_bars_are_in_proportion() {
        let bucket = |begin: i64, rows, dead_letters| TimeBucket {
            begin: PostgresMicros(begin * 3_600_000_000),
            rows,
            dead_letters,
        };
        let buckets = [bucket(0, 10, 0), bucket(2, 5, 1), bucket(100, 1, 0)];
        let mut output = Vec::new();
        let style = Style { width: Some(50), ..Style::default() };
        write_histogram(&buckets, 3_600, style, &mut output).expect("writing to memory");
        insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @r#"
2000-01-01T00:00:00Z  10 █████████████████████████
2000-01-01T01:00:00Z   0
2000-01-01T02:00:00Z   5 ████████████▌
…                      0
2000-01-05T04:00:00Z   1 ██▌
"#);
    }

    #[test]
    fn bars_begin_below_each_other_whatever_the_years() {
        let bucket =
            |begin: i64| TimeBucket { begin: PostgresMicros(begin), rows: 1, dead_letters: 0 };
        let buckets =
            [bucket(-63_200_000_000_000_000), bucket(0), bucket(9_000_000_000_000_000_000)];
        let mut output = Vec::new();
        let style = Style { width: Some(40), ..Style::default() };
        write_histogram(&buckets, 31_536_000, style, &mut output).expect("writing to memory");
        let text = String::from_utf8(output).expect("UTF-8");
        let bars = text.lines().filter(|line| line.contains('█'));
        let begins: Vec<_> = bars.map(|line| line.chars().position(|bar| bar == '█')).collect();
        assert_eq!(begins, [Some(27); 3], "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn spans_are_those_that_people_count_in() {
        let seconds = |seconds: i64| step_seconds(seconds * 1_000_000);
        assert_eq!(
            [seconds(0), seconds(60), seconds(3_600), seconds(86_400), seconds(28 * 86_400)],
            [1, 5, 300, 7_200, 604_800]
        );
        assert_eq!(step_seconds(i64::MAX), 31_536_000);
    }
}
