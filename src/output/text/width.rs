//! How wide text is on a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One picture is rarely made of more characters: a family of four is seven.
const MOST_JOINED: usize = 16;

/// The columns that the text takes.
pub(in crate::output) fn display_width(text: &str) -> usize {
    text.width()
}

/// How many bytes at the beginning of the text fit into `width` columns. Looks no further, however
/// long the text is.
pub(in crate::output) fn fitting(text: &str, width: usize) -> usize {
    // A character is never wider in columns than it is long in bytes.
    if text.len() <= width {
        return text.len();
    }
    let mut taken = 0;
    let end = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or(0);
        taken > width
    });
    let mut end = end.map_or(text.len(), |(place, _)| place);
    // Together some characters are wider than alone, a heart with the selector for its emoji behind
    // it, and others narrower, those that are joined to one picture.
    while display_width(&text[..end]) > width {
        end = text[..end].char_indices().next_back().map_or(0, |(place, _)| place);
    }
    for character in text[end..].chars().take(MOST_JOINED) {
        let longer = end + character.len_utf8();
        if display_width(&text[..longer]) > width {
            break;
        }
        end = longer;
    }
    // Half a flag is a letter.
    let letters = text[..end].chars().rev().take_while(is_regional).count();
    if letters % 2 == 1 && text[end..].chars().next().is_some_and(|next| is_regional(&next)) {
        end = text[..end].char_indices().next_back().map_or(0, |(place, _)| place);
    }
    end
}

fn is_regional(character: &char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

/// The text, or as much of it as fits into `width` columns with an ellipsis behind it.
pub(in crate::output) fn clip(text: &str, width: usize) -> Cow<'_, str> {
    if fitting(text, width) == text.len() {
        return Cow::Borrowed(text);
    }
    let end = fitting(text, width.saturating_sub(1));
    Cow::Owned(if width == 0 { String::new() } else { format!("{}…", &text[..end]) })
}

/// The text, or its first `most` characters with an ellipsis behind them: nobody waits for the
/// megabyte of which a line is shown.
pub(in crate::output) fn head(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{clip, display_width, fitting, head};

    #[test]
    fn what_is_too_wide_ends_in_an_ellipsis() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdef", 5), "abcd…");
        assert_eq!(clip("日本語", 6), "日本語");
        assert_eq!(clip("日本語", 5), "日本…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip("a\u{301}b\u{301}c\u{301}d", 3), "a\u{301}b\u{301}…");
    }

    #[test]
    fn whatever_the_characters_are_what_is_clipped_fits() {
        let texts = [
            "❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}",
            "👩\u{200d}🚀👋🏽🇩🇪日本",
            "e\u{301}\u{301}لالالا",
            "1\u{fe0f}\u{20e3}xyz",
        ];
        for text in texts {
            for width in 0..12 {
                assert!(
                    display_width(&clip(text, width)) <= width,
                    "{text} in {width}: {}",
                    clip(text, width)
                );
            }
        }
    }

    #[test]
    fn characters_that_are_one_picture_stay_together() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(fitting(&format!("ab{family}cd"), 4), 2 + family.len());
        assert_eq!(clip("ab🇩🇪cd", 4), "ab…");
        assert_eq!(clip("ab🇩🇪cd", 5), "ab🇩🇪…");
        assert_eq!(fitting("e\u{301}e\u{301}", 1), "e\u{301}".len());
    }

    #[test]
    fn of_a_long_text_the_beginning_is_read_only() {
        assert_eq!(head("日本語", 3), "日本語");
        assert_eq!(head("日本語", 2), "日本…");
        // What is clipped does not depend on how much more there is.
        assert_eq!(clip(&"日".repeat(1 << 20), 11), "日日日日日…");
    }
}
