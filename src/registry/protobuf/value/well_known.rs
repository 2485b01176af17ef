//! Messages that the JSON mapping has a form of their own for.

use crate::event::decimal_number;
use crate::registry::protobuf::schema::{Form, Kind, Message};

use super::failure::Failure;
use super::place::Place;
use super::reader::{Elements, Reader};
use super::time_text;
use super::wire::{Span, Wire};

impl<'a> Reader<'a> {
    /// Writes a message of one of these.
    pub(super) fn well_known(
        &mut self,
        message: &'a Message,
        spans: &[Span],
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let base = self.runs.len();
        self.gather(message, spans, place)?;
        match message.form {
            Form::Any => self.any(message, base, place)?,
            Form::Timestamp | Form::Duration => self.time(message, base)?,
            Form::Wrapper => self.wrapped(message, base, place)?,
            Form::Struct => self.structure(message, base, place)?,
            Form::List => self.values(message, base, place)?,
            Form::Value => self.value(message, base, place)?,
            Form::FieldMask => self.field_mask(message, base, place)?,
            Form::Decimal => self.decimal(message, base, place)?,
            Form::Plain | Form::Empty => self.object(message, base, place)?,
        }
        self.runs.truncate(base);
        Ok(())
    }

    /// Writes a message without a form, whose runs begin at a place.
    fn object(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        self.open("{")?;
        self.gathered_members(message, base, place, true)?;
        self.close("}")
    }

    fn time(&mut self, message: &Message, base: usize) -> Result<(), Failure> {
        let number = |number| match self.last_of(message, number, base) {
            Some(Wire::Varint(value)) => value,
            _ => 0,
        };
        let (seconds, nanos) = (number(1) as i64, number(2) as i32);
        let text = match message.form {
            Form::Timestamp => time_text::timestamp(seconds, nanos),
            _ => time_text::duration(seconds, nanos),
        };
        match text {
            Some(text) => self.json.text(&text)?,
            None => {
                self.json
                    .display(format_args!("{{\"seconds\":\"{seconds}\",\"nanos\":{nanos}}}"))?;
            }
        }
        Ok(())
    }

    fn wrapped(
        &mut self,
        message: &Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let kind = message.fields.first().map_or(Kind::Bytes, |field| field.kind);
        match self.last_of(message, 1, base) {
            Some(wire) => self.scalar(kind, wire, place),
            None => self.default_scalar(kind, place),
        }
    }

    fn structure(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        match (message.fields.first(), self.runs_of(message, 1, base)) {
            (Some(field), Some((start, end))) => self.map(field, start, end, place),
            _ => Ok(self.json.raw("{}")?),
        }
    }

    fn values(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        match (message.fields.first(), self.runs_of(message, 1, base)) {
            (Some(field), Some((start, end))) => self.list(field, start, end, place),
            _ => Ok(self.json.raw("[]")?),
        }
    }

    /// Writes any JSON value; one that says nothing is null.
    fn value(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let end = self.runs.len();
        let Some(run) = self.runs.get(base) else { return Ok(self.json.raw("null")?) };
        let field = &message.fields[run.field as usize];
        let place = place.field(&field.name);
        match field.kind {
            Kind::Message(inner) => self.merged(inner, base, end, &place),
            kind => match self.last(base, end) {
                Some(wire) => self.scalar(kind, wire, &place),
                None => Ok(self.json.raw("null")?),
            },
        }
    }

    /// Writes paths in lowerCamelCase, with commas; where a path is lost by that, as an object.
    fn field_mask(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let mut mask = String::new();
        if let Some((start, end)) = self.runs_of(message, 1, base) {
            let mut elements = Elements::new(start, end);
            while let Some(element) = self.next(&mut elements) {
                let Wire::Bytes(span) = element.wire else { continue };
                let path = self.text(span, &place.field("paths"))?;
                if !mask.is_empty() {
                    mask.push(',');
                }
                if !put_camel_case(&mut mask, path) {
                    return self.object(message, base, place);
                }
            }
        }
        Ok(self.json.text(&mask)?)
    }

    fn decimal(
        &mut self,
        message: &'a Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let bytes = match self.last_of(message, 1, base) {
            Some(Wire::Bytes(span)) => span.of(self.bytes),
            _ => &[],
        };
        let scale = match self.last_of(message, 3, base) {
            Some(Wire::Varint(value)) => value as i32,
            _ => 0,
        };
        match decimal_number(bytes, scale) {
            Some(number) => Ok(self.json.raw(&number)?),
            None => self.object(message, base, place),
        }
    }
}

/// Appends a path; says no where it could not be read back.
fn put_camel_case(out: &mut String, path: &str) -> bool {
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '_' => match characters.next() {
                Some(next) if next.is_ascii_lowercase() => out.push(next.to_ascii_uppercase()),
                _ => return false,
            },
            ',' => return false,
            character if character.is_ascii_uppercase() => return false,
            character => out.push(character),
        }
    }
    true
}
