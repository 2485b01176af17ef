//! Protobuf's wire format: tags, and the values behind them.

use crate::event::Reason;

use super::failure::Wrong;

/// The most groups within each other. All bytes of a group are passed over to find its end, once
/// for each group around it; Protobuf's own parsers stop at as many levels.
const MAX_GROUPS: usize = 100;

/// A part of the bytes. Kafka's records have less than 2 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::registry::protobuf) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A value as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// What a length stands before: text, bytes, a message, packed values.
    Bytes(Span),
    /// What stands between the tags that begin and end a group.
    Group(Span),
}

/// A tag and the value behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub(super) number: u32,
    /// Where the tag is.
    pub(super) start: usize,
    pub(super) wire: Wire,
}

/// Reads bytes from a place to an end.
#[derive(Debug, Clone, Default)]
pub(in crate::registry::protobuf) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Span {
    /// From a place to another.
    pub(in crate::registry::protobuf) fn new(start: usize, end: usize) -> Self {
        // Whoever makes a reader refuses bytes that are too many for this.
        let [start, end] = [start, end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        Self { start, end }
    }

    /// Its bytes.
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl<'a> Cursor<'a> {
    /// Over a part of the bytes.
    pub(in crate::registry::protobuf) fn new(bytes: &'a [u8], span: Span) -> Self {
        // Nothing behind the end is seen, and places stay those in all of the bytes.
        let bytes = bytes.get(..span.end as usize).unwrap_or(bytes);
        Self { bytes, at: span.start as usize }
    }

    /// Where it is.
    pub(in crate::registry::protobuf) fn at(&self) -> usize {
        self.at
    }

    /// Whether all was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next field; `None` at the end.
    pub(super) fn element(&mut self) -> Result<Option<Element>, Wrong> {
        if self.is_at_end() {
            return Ok(None);
        }
        let start = self.at;
        let (number, wire_type) = self.tag()?;
        let wire = match wire_type {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed64()?),
            2 => Wire::Bytes(self.delimited()?),
            3 => Wire::Group(self.group(number)?),
            4 => return Err(Wrong::mismatch("a group ends that never began", start)),
            _ => Wire::Fixed32(self.fixed32()?),
        };
        Ok(Some(Element { number, start, wire }))
    }

    /// A number of 64 bits in up to ten bytes.
    pub(in crate::registry::protobuf) fn varint(&mut self) -> Result<u64, Wrong> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let Some(byte) = self.bytes.get(self.at) else { return Err(self.ended()) };
            self.at += 1;
            if shift == 63 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Wrong::mismatch("a number has more than 64 bits", start))
    }

    /// A number of 32 bits in four bytes.
    pub(super) fn fixed32(&mut self) -> Result<u32, Wrong> {
        self.fixed().map(u32::from_le_bytes)
    }

    /// A number of 64 bits in eight bytes.
    pub(super) fn fixed64(&mut self) -> Result<u64, Wrong> {
        self.fixed().map(u64::from_le_bytes)
    }

    fn fixed<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Wrong> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = *rest.first_chunk().ok_or_else(|| self.ended())?;
        self.at += LENGTH;
        Ok(bytes)
    }

    fn tag(&mut self) -> Result<(u32, u8), Wrong> {
        let start = self.at;
        let tag = self.varint()?;
        let tag =
            u32::try_from(tag).map_err(|_| Wrong::mismatch("no field has this tag", start))?;
        match (tag >> 3, (tag & 7) as u8) {
            (0, _) => Err(Wrong::mismatch("a field has the number 0", start)),
            (_, 6 | 7) => Err(Wrong::mismatch("a field has an unknown wire type", start)),
            tag => Ok(tag),
        }
    }

    fn delimited(&mut self) -> Result<Span, Wrong> {
        let before = self.at;
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if length > self.bytes.len().saturating_sub(self.at) {
            return Err(Wrong::mismatch("a length goes beyond the end", before));
        }
        let start = self.at;
        self.at += length;
        Ok(Span::new(start, self.at))
    }

    /// What stands before the end of a group.
    fn group(&mut self, number: u32) -> Result<Span, Wrong> {
        let start = self.at;
        let mut open = [0; MAX_GROUPS];
        open[0] = number;
        let mut depth = 1;
        loop {
            if self.is_at_end() {
                return Err(Wrong::mismatch("a group has no end", start));
            }
            let before = self.at;
            let (number, wire_type) = self.tag()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.fixed64()?),
                2 => drop(self.delimited()?),
                3 => {
                    let what = "more than 100 groups stand within each other";
                    let too_deep = Wrong { reason: Reason::NestedTooDeep, what, at: before };
                    *open.get_mut(depth).ok_or(too_deep)? = number;
                    depth += 1;
                }
                4 => {
                    depth -= 1;
                    if open[depth] != number {
                        return Err(Wrong::mismatch("another group ends than began", before));
                    }
                    if depth == 0 {
                        return Ok(Span::new(start, before));
                    }
                }
                _ => drop(self.fixed32()?),
            }
        }
    }

    fn ended(&self) -> Wrong {
        Wrong::mismatch("the bytes end too early", self.bytes.len())
    }
}
