//! Control and bidirectional characters: a payload is untrusted, and a terminal obeys what it is
//! sent (CVE-2021-25743).

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal may act on the character, or a reader be misled by it: C0, DEL, C1,
/// bidirectional controls, line and paragraph separators.
pub(in crate::output) fn is_dangerous(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Most text needs nothing, and ASCII text can be told apart byte by byte.
fn is_harmless(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_dangerous)
}

/// The text with dangerous characters shown: `\n`, `\t`, `\r`, else `\u{1b}`.
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    escape(text, |character, escaped| {
        let _ = match character {
            '\n' => escaped.write_str("\\n"),
            '\t' => escaped.write_str("\\t"),
            '\r' => escaped.write_str("\\r"),
            other => write!(escaped, "\\u{{{:x}}}", u32::from(other)),
        };
    })
}

/// JSON text with dangerous characters as JSON's own escapes, which mean the same. They only occur
/// within strings, or are white space between tokens.
pub(in crate::output) fn escape_json(text: &str) -> Cow<'_, str> {
    escape(text, |character, escaped| {
        let _ = match character {
            '\n' | '\t' | '\r' => escaped.write_char(' '),
            other => write!(escaped, "\\u{:04x}", u32::from(other)),
        };
    })
}

fn escape(text: &str, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_dangerous(character) {
            write(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(
            escape_controls("a\x1b[2Jb\n\t\u{9b}\u{202e}\x7f"),
            "a\\u{1b}[2Jb\\n\\t\\u{9b}\\u{202e}\\u{7f}"
        );
        assert_eq!(escape_controls("Grüße 👋🏽 日本"), "Grüße 👋🏽 日本");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "{\"a\":\n \"\u{9b}\u{2066}\u{7f}\"}";
        let escaped = escape_json(text);
        assert_eq!(escaped, "{\"a\":  \"\\u009b\\u2066\\u007f\"}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(value(text).is_some());
        assert_eq!(value(text), value(&escaped));
    }
}
