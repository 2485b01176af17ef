//! How wide text is on a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that the text takes.
pub(in crate::output) fn display_width(text: &str) -> usize {
    text.width()
}

/// The text, or as much of it as fits into `width` columns with an ellipsis behind it.
pub(in crate::output) fn clip(text: &str, width: usize) -> Cow<'_, str> {
    // A character is never wider in columns than it is long in bytes.
    if text.len() <= width || display_width(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let end = text.char_indices().find(|(_, character)| {
        taken += character.width().unwrap_or(0);
        taken > width.saturating_sub(1)
    });
    let mut end = end.map_or(text.len(), |(place, _)| place);
    // Together some characters are wider than alone: a heart with the selector for its emoji behind
    // it.
    while display_width(&text[..end]) >= width.max(1) {
        end = text[..end].char_indices().next_back().map_or(0, |(place, _)| place);
    }
    Cow::Owned(if width == 0 { String::new() } else { format!("{}…", &text[..end]) })
}

#[cfg(test)]
mod tests {
    use super::{clip, display_width};

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
}
