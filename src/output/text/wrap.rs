//! Text on several lines.

use std::io::{self, Write};

use super::palette;
use super::width::{clip, display_width, fitting};
use crate::output::style::Style;

/// How far an explanation stands to the right of the row that it is about.
const INDENT: usize = 4;

/// A text that goes on for longer is cut: `audit show` has all of it.
pub(in crate::output) const MOST_LINES: usize = 8;

/// Writes what explains a row below it.
pub(in crate::output) fn write_below(
    text: &str,
    text_style: anstyle::Style,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    write_wrapped(text, INDENT, text_style, style, output)
}

/// Writes the text that stands for a row, its first line at the left.
pub(in crate::output) fn write_hanging(
    text: &str,
    text_style: anstyle::Style,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    write_wrapped(text, 0, text_style, style, output)
}

fn write_wrapped(
    text: &str,
    first_indent: usize,
    text_style: anstyle::Style,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let width = style.width.map_or(usize::MAX, usize::from).saturating_sub(INDENT);
    for (index, line) in wrap(text, width).into_iter().enumerate() {
        let indent = if index == 0 { first_indent } else { INDENT };
        let line = palette::paint(style.color, text_style, line);
        writeln!(output, "{:indent$}{line}", "")?;
    }
    Ok(())
}

/// The text on lines of at most `width` columns, and no more lines than a person wants to see below
/// a row.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Lines::new(text, width).take(MOST_LINES + 1).collect();
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", clip(last, width.max(2) - 1).trim_end_matches('…'));
        }
    }
    lines
}

/// The text on lines of at most `width` columns, broken between words where that can be.
pub fn wrap_text(text: &str, width: usize) -> Vec<String> {
    let lines: Vec<String> = Lines::new(text, width).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// The lines of a text, one after the other: nobody waits for those that are not shown.
struct Lines<'a> {
    rest: &'a str,
    width: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, width: usize) -> Self {
        Self { rest: text, width: width.max(2) }
    }
}

impl Iterator for Lines<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let fitting = fitting(self.rest, self.width);
        let (line, rest) = match self.rest[..fitting].rfind(' ') {
            _ if fitting == self.rest.len() || self.rest[fitting..].starts_with(' ') => {
                self.rest.split_at(fitting)
            }
            // Words behind blanks are not worth a line of blanks.
            Some(place) if !self.rest[..place].trim_end_matches(' ').is_empty() => {
                self.rest.split_at(place)
            }
            // A character that is wider than the line has it for itself.
            _ => {
                let first = self.rest.chars().next().map_or(0, char::len_utf8);
                self.rest.split_at(fitting.max(first))
            }
        };
        self.rest = rest.trim_start_matches(' ');
        Some(clip(line.trim_end_matches(' '), self.width).into_owned())
    }
}

/// The text on lines of at most `width` columns, broken between words only: a name, an id or a
/// cursor that is wider stays whole, to be copied.
pub fn wrap_words(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut words = paragraph.split(' ');
        let mut line = words.next().unwrap_or_default().to_owned();
        for word in words {
            let is_full = display_width(&line) + 1 + display_width(word) > width;
            if is_full && !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_between_words_and_long_words_anywhere() {
        assert_eq!(wrap("the bank did not answer", 10), ["the bank", "did not", "answer"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("日本語日本語", 5), ["日本", "語日", "本語"]);
    }

    #[test]
    fn words_stay_whole_where_they_are_wider_than_the_line() {
        assert_eq!(
            wrap_words("go on with --after n848998.314", 10),
            ["go on with", "--after", "n848998.314"]
        );
        assert_eq!(wrap_words("a short line", 80), ["a short line"]);
        assert_eq!(wrap_words("write:\n  key = 1", 9), ["write:", "  key = 1"]);
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let lines = wrap(&"word ".repeat(1_000), 20);
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines[MOST_LINES - 1].ends_with('…'), "{lines:?}");
    }

    #[test]
    fn of_a_long_text_as_many_lines_are_shown_as_of_any_other() {
        for text in ["x".repeat(1 << 20), "word ".repeat(200_000), "لا👩\u{200d}🚀".repeat(70_000)]
        {
            assert_eq!(wrap(&text, 76).len(), MOST_LINES);
            assert!(wrap_text(&text, 76).len() > 1_000);
        }
    }

    proptest! {
        #[test]
        fn every_line_fits_and_nothing_but_blanks_is_lost(text in "(\\PC| |❤\u{fe0f}|👩\u{200d}🚀|لا){0,40}", width in 2usize..30) {
            for line in wrap(&text, width) {
                prop_assert!(display_width(&line) <= width, "{line}");
            }
            let lines = wrap_text(&text, width);
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
