//! Texts out of JSON and into it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The characters of a valid JSON text without its quotes.
pub(super) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or_default();
        let mut length = 2;
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let first = hexadecimal(rest, at + 2);
                let mut code = first;
                length = 6;
                if (0xD800..0xDC00).contains(&first) {
                    code = 0x10000
                        + ((first - 0xD800) << 10)
                        + hexadecimal(rest, at + 8).wrapping_sub(0xDC00);
                    length = 12;
                }
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => out.push(char::from(other)),
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The four hexadecimal digits at that place; the scan made sure that they are there.
fn hexadecimal(text: &str, at: usize) -> u32 {
    text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xFFFD)
}

/// JSON without the white space between its tokens. Nothing is parsed: no digit of a number is
/// lost, and no depth is too much.
pub(crate) fn compact(json: &str) -> String {
    let mut inside_text = false;
    let mut escaped = false;
    let is_kept = |character: &char| {
        if inside_text {
            inside_text = escaped || *character != '"';
            escaped = !escaped && *character == '\\';
            true
        } else {
            inside_text = *character == '"';
            !character.is_ascii_whitespace()
        }
    };
    json.chars().filter(is_kept).collect()
}

/// Appends a text as JSON. NUL is written as `\u0000`, which JSONB refuses: see [`put_bytes`].
pub(crate) fn put_text(out: &mut String, text: &str) {
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    out.push('"');
    // Nearly all texts have no escape. Many bytes are looked at at once where none ends the look.
    if !text.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_escaped) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                out.push_str("\\u00");
                for nibble in [control >> 4, control & 15] {
                    out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
                }
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends bytes as a JSON text where they are text that JSONB can hold, else as `{"base64": "…"}`.
pub(crate) fn put_bytes(out: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => put_text(out, text),
        _ => {
            out.push_str("{\"base64\":");
            put_base64(out, bytes);
            out.push('}');
        }
    }
}

/// Appends bytes as a JSON text in base64 (standard alphabet, padded).
pub(crate) fn put_base64(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{put_bytes, put_text, unescape};

    #[test]
    fn escapes_become_characters() {
        assert_eq!(
            unescape(r#"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z"#),
            "a\"\\/\u{8}\u{c}\n\r\té😀z"
        );
    }

    #[test]
    fn written_texts_read_back_as_they_were() {
        let text: String =
            (0..0x180).filter_map(char::from_u32).chain(['😀', '\u{FFFF}']).collect();
        let mut json = String::new();
        put_text(&mut json, &text);
        assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text));
    }

    #[test]
    fn bytes_that_jsonb_cannot_hold_as_text_are_base64() {
        for (bytes, json) in [
            (&b"key"[..], r#""key""#),
            (b"", r#""""#),
            (b"a\0b", r#"{"base64":"YQBi"}"#),
            (b"\xff", r#"{"base64":"/w=="}"#),
        ] {
            let mut out = String::new();
            put_bytes(&mut out, bytes);
            assert_eq!(out, json);
        }
    }
}
