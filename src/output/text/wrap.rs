//! Text on several lines.

use std::borrow::Cow;
use std::io::{self, Write};

use textwrap::Options;
use textwrap::WordSplitter::NoHyphenation;

use super::palette;
use super::width::{clip, display_width};
use crate::output::style::Style;

/// How far an explanation stands to the right of the row that it is about.
const INDENT: usize = 4;

/// A text that goes on for longer is cut: `audit show` has all of it.
const MOST_LINES: usize = 8;

/// Writes what explains a row below it.
pub(in crate::output) fn write_below(
    text: &str,
    text_style: anstyle::Style,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let width = style.width.map_or(usize::MAX, usize::from).saturating_sub(INDENT);
    for line in wrap(text, width) {
        let line = palette::paint(style.color, text_style, line);
        writeln!(output, "{:INDENT$}{line}", "")?;
    }
    Ok(())
}

/// The text on lines of at most `width` columns, and no more lines than a person wants to see below
/// a row.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = wrap_text(text, width);
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
    let width = width.max(2);
    // Characters that join are sometimes wider together than one by one, as textwrap adds them up:
    // it is asked for narrower lines until all fit.
    let fitting = (1..=width)
        .rev()
        .map(|asked| textwrap::wrap(text, Options::new(asked).word_splitter(NoHyphenation)))
        .find(|lines| lines.iter().all(|line| display_width(line) <= width));
    match fitting {
        Some(lines) => lines.into_iter().map(Cow::into_owned).collect(),
        None => vec![clip(text, width).into_owned()],
    }
}

/// The text on lines of at most `width` columns, broken between words only: a name, an id or a
/// cursor that is wider stays whole, to be copied.
pub fn wrap_words(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(2)).word_splitter(NoHyphenation).break_words(false);
    textwrap::wrap(text, options).into_iter().map(Cow::into_owned).collect()
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
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let lines = wrap(&"word ".repeat(1_000), 20);
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines[MOST_LINES - 1].ends_with('…'), "{lines:?}");
    }

    proptest! {
        #[test]
        fn every_line_fits(text in "(\\PC|❤\u{fe0f}|👩\u{200d}🚀|لا){0,40}", width in 2usize..30) {
            for line in wrap(&text, width) {
                prop_assert!(display_width(&line) <= width, "{line}");
            }
        }
    }
}
