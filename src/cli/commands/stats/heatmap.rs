//! A heat map over the hours of the week, drawn with characters.

use std::io::{self, Write};

use anstyle::{Ansi256Color, Color};

use crate::output::{Style, palette};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// From few to many. They differ without colours, too.
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];

/// Their colours: neither light nor dark, so that they can be seen on any background.
const COLORS: [u8; 4] = [179, 173, 167, 160];

/// Draws a line for each day, with a cell for each hour, and says below what the shades mean.
/// `zone` is that of the clocks.
pub(super) fn write_heatmap(
    week: &[[i64; 24]; 7],
    zone: &str,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let most = week.iter().flatten().copied().max().unwrap_or_default();
    let width = usize::from(style.width.unwrap_or(80));
    let cell = [3, 2].into_iter().find(|cell| 4 + 24 * cell <= width).unwrap_or(1);
    writeln!(output, "{}", header(cell))?;
    for (day, hours) in DAYS.iter().zip(week) {
        write!(output, "{day} ")?;
        let mut line = String::new();
        for rows in hours {
            let (mark, color) = match level(*rows, most) {
                None => ('·', palette::DIM),
                Some(level) => (SHADES[level], shade(level)),
            };
            // Alone in its cell, a point is a point.
            let full = if level(*rows, most).is_some() { cell.saturating_sub(1).max(1) } else { 1 };
            let marks: String = std::iter::repeat_n(mark, full).collect();
            line.push_str(&palette::paint(style.color, color, marks).to_string());
            line.extend(std::iter::repeat_n(' ', cell - full));
        }
        writeln!(output, "{}", line.trim_end())?;
    }
    let mut legend = vec![palette::paint(style.color, palette::DIM, '·').to_string() + " 0"];
    for (index, mark) in SHADES.into_iter().enumerate() {
        let (low, high) = bounds(index, most);
        if low <= high {
            let range = if low == high { high.to_string() } else { format!("{low}–{high}") };
            legend.push(format!("{} {range}", palette::paint(style.color, shade(index), mark)));
        }
    }
    writeln!(output, "{}  events, clocks of {zone}", legend.join("  "))
}

/// The hours, as far as there is room for them.
fn header(cell: usize) -> String {
    let step = match cell {
        3 => 1,
        2 => 2,
        _ => 6,
    };
    let mut line = "    ".to_owned();
    for hour in (0..24).step_by(step) {
        line.push_str(&format!("{hour:<width$}", width = cell * step));
    }
    line.trim_end().to_owned()
}

/// Which shade a number of rows has; `None` for no row.
fn level(rows: i64, most: i64) -> Option<usize> {
    (0..SHADES.len()).find(|level| {
        let (low, high) = bounds(*level, most);
        (low..=high).contains(&rows)
    })
}

/// The least and the most rows of a shade.
fn bounds(level: usize, most: i64) -> (i64, i64) {
    let part = |parts: usize| {
        let parts = i128::from(most) * parts as i128 / SHADES.len() as i128;
        i64::try_from(parts).unwrap_or(i64::MAX)
    };
    (part(level) + 1, part(level + 1))
}

fn shade(level: usize) -> anstyle::Style {
    let color = Ansi256Color(COLORS[level]);
    anstyle::Style::new().fg_color(Some(Color::Ansi256(color)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(week: &[[i64; 24]; 7], style: Style) -> String {
        let mut output = Vec::new();
        write_heatmap(week, "Europe/Berlin", style, &mut output).expect("writing to memory");
        String::from_utf8(output).expect("UTF-8")
    }

    fn shop() -> [[i64; 24]; 7] {
        let mut week = [[0; 24]; 7];
        for (day, hours) in (0..).zip(&mut week) {
            for (hour, rows) in (0..).zip(hours) {
                *rows = if day < 5 && (7..20).contains(&hour) {
                    120 - (13_i64 - hour).pow(2) * 3
                } else {
                    day * hour / 30
                };
            }
        }
        week
    }

    #[test]
    fn a_week_is_read_without_colours_on_a_narrow_terminal() {
        insta::assert_snapshot!(drawn(&shop(), Style { width: Some(80), ..Style::default() }), @r"
    0  1  2  3  4  5  6  7  8  9  10 11 12 13 14 15 16 17 18 19 20 21 22 23
Mon ·  ·  ·  ·  ·  ·  ·  ░░ ▒▒ ▓▓ ██ ██ ██ ██ ██ ██ ██ ▓▓ ▒▒ ░░ ·  ·  ·  ·
Tue ·  ·  ·  ·  ·  ·  ·  ░░ ▒▒ ▓▓ ██ ██ ██ ██ ██ ██ ██ ▓▓ ▒▒ ░░ ·  ·  ·  ·
Wed ·  ·  ·  ·  ·  ·  ·  ░░ ▒▒ ▓▓ ██ ██ ██ ██ ██ ██ ██ ▓▓ ▒▒ ░░ ░░ ░░ ░░ ░░
Thu ·  ·  ·  ·  ·  ·  ·  ░░ ▒▒ ▓▓ ██ ██ ██ ██ ██ ██ ██ ▓▓ ▒▒ ░░ ░░ ░░ ░░ ░░
Fri ·  ·  ·  ·  ·  ·  ·  ░░ ▒▒ ▓▓ ██ ██ ██ ██ ██ ██ ██ ▓▓ ▒▒ ░░ ░░ ░░ ░░ ░░
Sat ·  ·  ·  ·  ·  ·  ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
Sun ·  ·  ·  ·  ·  ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░ ░░
· 0  ░ 1–30  ▒ 31–60  ▓ 61–90  █ 91–120  events, clocks of Europe/Berlin
");
        for width in [30, 60, 80, 200] {
            let style = Style { width: Some(width), ..Style::default() };
            for line in drawn(&shop(), style).lines().take(8) {
                assert!(line.chars().count() <= width.into(), "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_are_beside_the_shades_and_not_in_their_place() {
        let colored = drawn(&shop(), Style { color: true, width: Some(80), ..Style::default() });
        assert!(colored.contains("\u{1b}[38;5;160m██\u{1b}[0m"), "{colored}");
        let plain = drawn(&shop(), Style { width: Some(80), ..Style::default() });
        let mut is_sequence = false;
        let without = colored.chars().filter(|character| {
            let was_sequence = is_sequence;
            is_sequence = *character == '\u{1b}' || (is_sequence && *character != 'm');
            !was_sequence && !is_sequence
        });
        assert_eq!(without.collect::<String>(), plain);
    }

    #[test]
    fn each_count_has_one_shade_and_only_none_has_no_shade() {
        for most in [1, 2, 3, 4, 5, 7, 100, i64::MAX] {
            for rows in [1, 2, 3, 4, 5, 6, 7, 99, 100, i64::MAX] {
                if rows <= most {
                    assert!(level(rows, most).is_some(), "{rows} of {most}");
                }
            }
            assert_eq!((level(0, most), level(most, most)), (None, Some(3)));
        }
        assert_eq!(level(0, 0), None);
    }
}
