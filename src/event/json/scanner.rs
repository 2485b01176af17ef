//! The scanner itself: a loop over the bytes with a stack of open containers.

use super::number;
use super::{Kind, MAX_DEPTH, MAX_JSONB_BYTES, Member, Refusal, Scan, Value};
use crate::event::Reason;

/// An envelope around the deepest payload is one level deeper.
const MAX_SCANNED_DEPTH: usize = MAX_DEPTH + 1;

/// PostgreSQL doubles the memory of a container while it parses, and no allocation may pass 1 GiB:
/// these are the last sizes that fit. Beyond them it answers XX000, as for a fault of its own.
const MAX_ARRAY_ELEMENTS: u32 = 1 << 24;
const MAX_OBJECT_MEMBERS: u32 = 1 << 23;

/// What an element costs inside JSONB beyond its text, at most: its entry, and the head and padding
/// of a number.
const JSONB_BYTES_PER_ELEMENT: u64 = 13;

/// The bytes that end a run of plain characters inside a text.
pub(crate) const ENDS_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Checks a JSON text and finds the members of its top-level object.
///
/// # Errors
/// The first thing that JSON forbids or that JSONB cannot hold unchanged in meaning.
pub fn scan(bytes: &[u8]) -> Result<Scan<'_>, Refusal> {
    if let Some(reason) = foreign_encoding(bytes) {
        return Err(Refusal { reason, position: 0 });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Refusal { reason: Reason::InvalidUtf8, position: error.valid_up_to() })?;
    Scanner {
        text,
        bytes,
        at: 0,
        open: Vec::with_capacity(8),
        members: Vec::new(),
        name: (0, 0, false),
        member_start: 0,
        member_depth: 0,
        depth: 0,
        elements: 0,
        written_numbers: 0,
    }
    .run()
}

/// Recognises byte order marks, and UTF-16 by the NUL beside its first characters: neither can be
/// JSON in UTF-8.
pub(in crate::event) fn foreign_encoding(bytes: &[u8]) -> Option<Reason> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Some(Reason::ByteOrderMark),
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => Some(Reason::Utf16),
        [0, first, 0, second, ..] | [first, 0, second, 0, ..]
            if matches!(first, b'{' | b'[' | b'"' | b'-' | b' ' | b'\t' | b'\r' | b'\n' | b'0'..=b'9' | b'a'..=b'z')
                && *second != 0 =>
        {
            Some(Reason::Utf16)
        }
        _ => None,
    }
}

/// An object or array whose end is not reached yet.
struct Container {
    is_object: bool,
    elements: u32,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<Container>,
    members: Vec<Member<'a>>,
    /// Start, end and escapes of the top-level name whose value is being read.
    name: (usize, usize, bool),
    member_start: usize,
    /// The deepest level reached inside the top-level member.
    member_depth: usize,
    /// The deepest level reached at all.
    depth: usize,
    elements: u64,
    /// How many bytes JSONB writes for the numbers with exponents.
    written_numbers: u64,
}

impl<'a> Scanner<'a> {
    fn run(mut self) -> Result<Scan<'a>, Refusal> {
        self.skip_white_space();
        let start = self.at;
        loop {
            // A value starts here.
            let (mut kind, mut escaped) = match self.peek() {
                Some(b'"') => (Kind::Text, self.text_value()?),
                Some(b'{') => {
                    self.enter(true)?;
                    if self.peek() != Some(b'}') {
                        self.member_name()?;
                        continue;
                    }
                    self.leave();
                    (Kind::Object, false)
                }
                Some(b'[') => {
                    self.enter(false)?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                    self.leave();
                    (Kind::Array, false)
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                    (Kind::Number, false)
                }
                Some(b't') => self.literal("true", Kind::Boolean)?,
                Some(b'f') => self.literal("false", Kind::Boolean)?,
                Some(b'n') => self.literal("null", Kind::Null)?,
                _ => return Err(self.unexpected()),
            };
            // A value has ended; the containers that end with it are closed until another value is
            // due.
            loop {
                let end = self.at;
                self.skip_white_space();
                let Some(container) = self.open.last_mut() else {
                    return self.finish(start, end, kind, escaped);
                };
                let is_object = container.is_object;
                container.elements += 1;
                if is_object && self.open.len() == 1 {
                    self.add_member(end, kind, escaped);
                }
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_white_space();
                        if is_object {
                            self.member_name()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => kind = Kind::Object,
                    Some(b']') if !is_object => kind = Kind::Array,
                    _ => return Err(self.unexpected()),
                }
                escaped = false;
                self.check_size()?;
                self.leave();
            }
        }
    }

    fn finish(
        self,
        start: usize,
        end: usize,
        kind: Kind,
        escaped: bool,
    ) -> Result<Scan<'a>, Refusal> {
        if self.at < self.bytes.len() {
            return Err(self.refuse(Reason::TrailingData));
        }
        let length = self.bytes.len() as u64;
        if length + self.elements * JSONB_BYTES_PER_ELEMENT > MAX_JSONB_BYTES
            || length + self.written_numbers > MAX_JSONB_BYTES
        {
            return Err(self.refuse(Reason::TooLarge));
        }
        let value = Value { raw: &self.text[start..end], kind, depth: self.depth, escaped };
        Ok(Scan { value, members: self.members })
    }

    /// Steps into an object or array, to its first element.
    fn enter(&mut self, is_object: bool) -> Result<(), Refusal> {
        if self.open.is_empty() && is_object {
            self.members.reserve(12);
        }
        self.open.push(Container { is_object, elements: 0 });
        let depth = self.open.len();
        if depth > MAX_SCANNED_DEPTH {
            return Err(self.refuse(Reason::NestedTooDeep));
        }
        self.depth = self.depth.max(depth);
        self.member_depth = self.member_depth.max(depth - 1);
        self.at += 1;
        self.skip_white_space();
        Ok(())
    }

    /// Steps over the end of an object or array.
    fn leave(&mut self) {
        self.at += 1;
        if let Some(container) = self.open.pop() {
            self.elements += u64::from(container.elements);
        }
    }

    fn check_size(&self) -> Result<(), Refusal> {
        match self.open.last() {
            Some(Container { is_object: true, elements }) if *elements > MAX_OBJECT_MEMBERS => {
                Err(self.refuse(Reason::TooLarge))
            }
            Some(Container { is_object: false, elements }) if *elements > MAX_ARRAY_ELEMENTS => {
                Err(self.refuse(Reason::TooLarge))
            }
            _ => Ok(()),
        }
    }

    fn add_member(&mut self, end: usize, kind: Kind, escaped: bool) {
        let (name_start, name_end, name_escaped) = self.name;
        let raw = &self.text[self.member_start..end];
        self.members.push(Member {
            raw_name: &self.text[name_start..name_end],
            value: Value { raw, kind, depth: self.member_depth, escaped },
            name_escaped,
        });
    }

    /// Reads a member's name and the colon, up to its value.
    fn member_name(&mut self) -> Result<(), Refusal> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let start = self.at;
        let escaped = self.text_value()?;
        let end = self.at;
        self.skip_white_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.skip_white_space();
        if self.open.len() == 1 {
            self.name = (start, end, escaped);
            self.member_start = self.at;
            self.member_depth = 0;
        }
        Ok(())
    }

    /// Steps over a text; tells whether it holds escapes.
    fn text_value(&mut self) -> Result<bool, Refusal> {
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.bytes[self.at..].iter().position(|&byte| ENDS_RUN[usize::from(byte)]) {
                Some(length) => self.at += length,
                None => self.at = self.bytes.len(),
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.refuse(Reason::ControlCharacter)),
                None => return Err(self.refuse(Reason::TruncatedJson)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                match self.hexadecimal()? {
                    0 => return Err(Refusal { reason: Reason::NulEscape, position: start }),
                    0xD800..0xDC00 => self.low_surrogate(start)?,
                    0xDC00..0xE000 => {
                        return Err(Refusal { reason: Reason::LoneSurrogate, position: start });
                    }
                    _ => {}
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// Reads the second half of a surrogate pair whose first half starts at `start`.
    fn low_surrogate(&mut self, start: usize) -> Result<(), Refusal> {
        let lone = Refusal { reason: Reason::LoneSurrogate, position: start };
        for expected in [b'\\', b'u'] {
            match self.peek() {
                Some(byte) if byte == expected => self.at += 1,
                Some(_) => return Err(lone),
                None => return Err(self.refuse(Reason::TruncatedJson)),
            }
        }
        match self.hexadecimal()? {
            0xDC00..0xE000 => Ok(()),
            _ => Err(lone),
        }
    }

    fn hexadecimal(&mut self) -> Result<u32, Refusal> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected());
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut has_exponent = false;
        if let Some(b'e' | b'E') = self.peek() {
            has_exponent = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // Only a long number or one with an exponent can pass the limits.
        if has_exponent || self.at - start > 16_000 {
            let Some(length) = number::written_length(&self.text[start..self.at]) else {
                return Err(Refusal { reason: Reason::NumberOutOfRange, position: start });
            };
            self.written_numbers += length;
        }
        Ok(())
    }

    /// Steps over at least one digit.
    fn digits(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<(Kind, bool), Refusal> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok((kind, false))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// The refusal for a byte that cannot stand here, or for an end that comes too early.
    fn unexpected(&self) -> Refusal {
        self.refuse(if self.at < self.bytes.len() {
            Reason::InvalidJson
        } else {
            Reason::TruncatedJson
        })
    }

    fn refuse(&self, reason: Reason) -> Refusal {
        Refusal { reason, position: self.at }
    }
}
