//! Values that are no messages.

use crate::event::Reason;
use crate::registry::protobuf::schema::Kind;

use super::failure::{Failure, Wrong};
use super::place::Place;
use super::reader::Reader;
use super::wire::{Span, Wire};

impl<'a> Reader<'a> {
    /// Writes a value.
    pub(super) fn scalar(
        &mut self,
        kind: Kind,
        wire: Wire,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        // Bits of the wire that a field's type does not have are cut, as Protobuf's parsers do.
        match (kind, wire) {
            (Kind::Bool, Wire::Varint(value)) => {
                self.json.raw(if value == 0 { "false" } else { "true" })?;
            }
            (Kind::Int32, Wire::Varint(value)) => self.json.display(value as i32)?,
            (Kind::Uint32, Wire::Varint(value)) => self.json.display(value as u32)?,
            (Kind::Sint32, Wire::Varint(value)) => self.json.display(zigzag32(value))?,
            (Kind::Int64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => {
                self.quoted(value as i64)?;
            }
            (Kind::Uint64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => {
                self.quoted(value)?;
            }
            (Kind::Sint64, Wire::Varint(value)) => self.quoted(zigzag(value))?,
            (Kind::Enum(index), Wire::Varint(value)) => {
                match self.tables.enum_name(index, value as i32) {
                    Some(name) => self.json.text(name)?,
                    None => self.json.display(value as i32)?,
                }
            }
            (Kind::Null, _) => self.json.raw("null")?,
            (Kind::Double, Wire::Fixed64(bits)) => self.json.double(f64::from_bits(bits))?,
            (Kind::Float, Wire::Fixed32(bits)) => self.json.single(f32::from_bits(bits))?,
            (Kind::Fixed32, Wire::Fixed32(value)) => self.json.display(value)?,
            (Kind::Sfixed32, Wire::Fixed32(value)) => self.json.display(value as i32)?,
            (Kind::String, Wire::Bytes(span)) => {
                let text = self.text(span, place)?;
                self.json.text(text)?;
            }
            (_, Wire::Bytes(span) | Wire::Group(span)) => self.json.base64(span.of(self.bytes))?,
            // Values whose wire type is another than their field's were kept as unknown.
            (_, Wire::Varint(_) | Wire::Fixed64(_) | Wire::Fixed32(_)) => self.json.raw("null")?,
        }
        Ok(())
    }

    /// Writes what a field has where nothing was sent.
    pub(super) fn default_scalar(&mut self, kind: Kind, place: &Place<'_>) -> Result<(), Failure> {
        let wire = match kind {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(0),
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(0),
            Kind::String | Kind::Bytes => Wire::Bytes(Span::default()),
            Kind::Enum(index) => Wire::Varint(self.tables.enum_default(index) as u64),
            _ => Wire::Varint(0),
        };
        self.scalar(kind, wire, place)
    }

    /// Whether the value is what a field without presence has where nothing was sent. Zero with a
    /// sign is not: it was sent.
    pub(super) fn is_default(kind: Kind, wire: Wire) -> bool {
        match (kind, wire) {
            (Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Bool, Wire::Varint(value)) => {
                value == 0
            }
            (_, Wire::Varint(value)) => value as u32 == 0,
            (_, Wire::Fixed64(bits)) => bits == 0,
            (_, Wire::Fixed32(bits)) => bits == 0,
            (_, Wire::Bytes(span) | Wire::Group(span)) => span.is_empty(),
        }
    }

    /// The text in a part of the bytes.
    pub(super) fn text(&self, span: Span, place: &Place<'_>) -> Result<&'a str, Failure> {
        std::str::from_utf8(span.of(self.bytes)).map_err(|error| {
            let what = "a text is not UTF-8";
            let at = span.start as usize + error.valid_up_to();
            Wrong { reason: Reason::InvalidUtf8, what, at }.within(place)
        })
    }

    fn quoted(&mut self, number: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(self.json.display(format_args!("\"{number}\""))?)
    }
}

/// A number whose last bit is its sign.
pub(super) fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(super) fn zigzag32(value: u64) -> i32 {
    let value = value as u32;
    (value >> 1) as i32 ^ -((value & 1) as i32)
}
