//! Texts and names: the shortest escapes, and only where JSON asks for them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::CanonicalError;
use crate::event::json::ENDS_RUN;

/// How far the run of plain characters goes that begins at `at`.
fn run_end(json: &[u8], at: usize) -> usize {
    json[at..].iter().position(|byte| ENDS_RUN[usize::from(*byte)]).map_or(json.len(), |n| at + n)
}

/// Writes the text that begins with the quote at `at`, and returns where it ends, and whether the
/// canonical form has escapes.
pub(super) fn write(
    json: &[u8],
    at: usize,
    out: &mut Vec<u8>,
) -> Result<(usize, bool), CanonicalError> {
    let mut at = at + 1;
    let mut escaped = false;
    out.push(b'"');
    loop {
        let end = run_end(json, at);
        out.extend_from_slice(&json[at..end]);
        at = end;
        match json.get(at) {
            Some(b'"') => {
                out.push(b'"');
                return Ok((at + 1, escaped));
            }
            Some(b'\\') => {
                let (character, next) = unescape(json, at)?;
                escaped |= put(character, out);
                at = next;
            }
            _ => return Err(CanonicalError::Json(at)),
        }
    }
}

/// The character that the escape at `at` stands for, and where the escape ends.
fn unescape(json: &[u8], at: usize) -> Result<(char, usize), CanonicalError> {
    let broken = || CanonicalError::Json(at);
    let plain = |character| Ok((character, at + 2));
    match json.get(at + 1).ok_or_else(broken)? {
        b'"' => plain('"'),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' => {
            let unit = code_unit(json, at).ok_or_else(broken)?;
            if let Some(character) = char::from_u32(unit) {
                return Ok((character, at + 6));
            }
            let low = code_unit(json, at + 6).ok_or_else(broken)?;
            if !(0xD800..0xDC00).contains(&unit) || !(0xDC00..0xE000).contains(&low) {
                return Err(broken());
            }
            let code_point = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            Ok((char::from_u32(code_point).ok_or_else(broken)?, at + 12))
        }
        _ => Err(broken()),
    }
}

/// The code unit of `\uXXXX` at `at`.
fn code_unit(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// Writes a character, and tells whether it needed an escape.
fn put(character: char, out: &mut Vec<u8>) -> bool {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\0'..'\u{20}' => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            return true;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return false;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    true
}

/// Compares two canonical names, quotes included, by the characters that they stand for.
pub(super) fn compare(left: &[u8], right: &[u8], escaped: bool) -> Ordering {
    if escaped { plain(left).cmp(&plain(right)) } else { inner(left).cmp(inner(right)) }
}

fn inner(name: &[u8]) -> &[u8] {
    name.get(1..name.len() - 1).unwrap_or_default()
}

/// The characters of a canonical name.
fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    let name = inner(name);
    if !name.contains(&b'\\') {
        return Cow::Borrowed(name);
    }
    let mut characters = Vec::with_capacity(name.len());
    let mut at = 0;
    while let Some(byte) = name.get(at) {
        if let (b'\\', Ok((character, next))) = (byte, unescape(name, at)) {
            characters.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            at = next;
        } else {
            characters.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(characters)
}
