//! Writes the JSON of messages, field by field.

use crate::registry::protobuf::schema::{Field, Form, Kind, Message, Shape};

use super::failure::Failure;
use super::place::Place;
use super::reader::{Elements, Reader, part};
use super::wire::{Cursor, Span, Wire};

impl<'a> Reader<'a> {
    /// Writes a message in its form: of one part, or of several that are merged.
    pub(super) fn message(
        &mut self,
        message: u32,
        spans: &[Span],
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let message = self.tables.message(message);
        if message.form != Form::Plain {
            return self.well_known(message, spans, place);
        }
        self.open("{")?;
        self.members(message, spans, place, true)?;
        self.close("}")
    }

    /// Writes the members of a message.
    pub(super) fn members(
        &mut self,
        message: &'a Message,
        spans: &[Span],
        place: &Place<'_>,
        is_first: bool,
    ) -> Result<(), Failure> {
        let base = self.runs.len();
        self.gather(message, spans, place)?;
        self.gathered_members(message, base, place, is_first)
    }

    /// Writes the members of a message whose runs begin at a place.
    pub(super) fn gathered_members(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
        mut is_first: bool,
    ) -> Result<(), Failure> {
        let all = self.runs.len();
        let mut start = base;
        while start < all {
            let end = self.end_of_field(start);
            let field = &message.fields[self.runs[start].field as usize];
            is_first &= !self.member(field, start, end, place, is_first)?;
            start = end;
        }
        self.runs.truncate(base);
        Ok(())
    }

    /// Writes a member of an object, unless it is left out, and says whether it was written.
    fn member(
        &mut self,
        field: &'a Field,
        start: usize,
        end: usize,
        place: &Place<'_>,
        is_first: bool,
    ) -> Result<bool, Failure> {
        match field.shape {
            Shape::Map => {
                self.key(field, is_first)?;
                self.map(field, start, end, place)?;
            }
            Shape::List => {
                // Packed values may be no values at all.
                if field.kind.is_packable() && self.is_packed_nothing(start, end) {
                    return Ok(false);
                }
                self.key(field, is_first)?;
                self.list(field, start, end, place)?;
            }
            Shape::One => match field.kind {
                Kind::Message(message) | Kind::Group(message) => {
                    self.key(field, is_first)?;
                    self.merged(message, start, end, &place.field(&field.name))?;
                }
                kind => {
                    let Some(wire) = self.last(start, end) else { return Ok(false) };
                    if !field.has_presence && Self::is_default(kind, wire) {
                        return Ok(false);
                    }
                    self.key(field, is_first)?;
                    self.scalar(kind, wire, &place.field(&field.name))?;
                }
            },
        }
        Ok(true)
    }

    fn key(&mut self, field: &Field, is_first: bool) -> Result<(), Failure> {
        if !is_first {
            self.json.raw(",")?;
        }
        Ok(self.json.raw(&field.key)?)
    }

    /// Writes a message whose parts are all values of a field.
    pub(super) fn merged(
        &mut self,
        message: u32,
        start: usize,
        end: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let mut elements = Elements::new(start, end);
        let mut next = |reader: &Self| part(reader.next(&mut elements)?.wire);
        let first = next(self).unwrap_or_default();
        match next(self) {
            None => self.message(message, &[first], place),
            Some(second) => {
                let parts = [first, second].into_iter();
                let parts: Vec<Span> = parts.chain(std::iter::from_fn(|| next(self))).collect();
                self.message(message, &parts, place)
            }
        }
    }

    /// Writes the values of a repeated field.
    pub(super) fn list(
        &mut self,
        field: &'a Field,
        start: usize,
        end: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        self.open("[")?;
        let mut elements = Elements::new(start, end);
        let mut index = 0;
        while let Some(element) = self.next(&mut elements) {
            match (field.kind, element.wire) {
                (Kind::Message(message) | Kind::Group(message), wire) => {
                    self.comma(index)?;
                    let Some(part) = part(wire) else { continue };
                    self.message(message, &[part], &place.item(&field.name, index))?;
                }
                (kind, Wire::Bytes(span)) if kind.is_packable() => {
                    self.packed(kind, span, &place.field(&field.name))?;
                }
                (kind, wire) => {
                    self.item_comma()?;
                    self.scalar(kind, wire, &place.item(&field.name, index))?;
                }
            }
            index += 1;
        }
        self.close("]")
    }

    fn is_packed_nothing(&self, start: usize, end: usize) -> bool {
        let mut elements = Elements::new(start, end);
        std::iter::from_fn(|| self.next(&mut elements))
            .all(|element| matches!(element.wire, Wire::Bytes(span) if span.is_empty()))
    }

    fn packed(&mut self, kind: Kind, span: Span, place: &Place<'_>) -> Result<(), Failure> {
        self.json.reserve(2 * least_count(kind, span.of(self.bytes)))?;
        let mut cursor = Cursor::new(self.bytes, span);
        while !cursor.is_at_end() {
            let wire = match kind {
                Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => {
                    cursor.fixed64().map(Wire::Fixed64)
                }
                Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => cursor.fixed32().map(Wire::Fixed32),
                _ => cursor.varint().map(Wire::Varint),
            };
            let wire = wire.map_err(|wrong| wrong.within(place))?;
            self.item_comma()?;
            self.scalar(kind, wire, place)?;
        }
        Ok(())
    }
}

/// How many packed values there are, each of which becomes two characters at least.
fn least_count(kind: Kind, bytes: &[u8]) -> usize {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => bytes.len() / 8,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => bytes.len() / 4,
        _ => bytes.iter().filter(|byte| **byte < 0x80).count(),
    }
}
