//! Maps: on the wire a list of messages that have a key and a value.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::registry::protobuf::schema::{Field, Kind, Message};

use super::failure::Failure;
use super::place::Place;
use super::reader::{Elements, Reader, part};
use super::scalar::{zigzag, zigzag32};
use super::wire::{Cursor, Span, Wire};

/// A key, so that two of one meaning are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    Signed(i64),
    Unsigned(u64),
    Bool(bool),
    Text(&'a str),
}

impl<'a> Reader<'a> {
    /// Writes a map. Of entries with one key the last counts.
    pub(super) fn map(
        &mut self,
        field: &'a Field,
        start: usize,
        end: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let (Kind::Message(entry) | Kind::Group(entry)) = field.kind else { return Ok(()) };
        let entry = self.tables.message(entry);
        let [Some(key_field), Some(value_field)] =
            [1, 2].map(|number| entry.field_at(number).map(|at| &entry.fields[at as usize]))
        else {
            return Ok(());
        };
        // Which entry is the last of its key. Where there is one entry, it is.
        let mut last_of: HashMap<Key<'a>, usize> = HashMap::new();
        let mut elements = Elements::new(start, end);
        let mut count = 0;
        while let Some(element) = self.next(&mut elements) {
            let span = part(element.wire).unwrap_or_default();
            let key = self.map_key(key_field, span, &place.field(&field.name))?;
            last_of.insert(key, count);
            count += 1;
        }
        self.open("{")?;
        let mut is_first = true;
        let mut elements = Elements::new(start, end);
        for index in 0..count {
            let Some(element) = self.next(&mut elements) else { break };
            let span = part(element.wire).unwrap_or_default();
            let key = self.map_key(key_field, span, &place.field(&field.name))?;
            if last_of.get(&key) != Some(&index) {
                continue;
            }
            self.comma(usize::from(!is_first))?;
            is_first = false;
            let name = key.text();
            self.json.text(&name)?;
            self.json.raw(":")?;
            self.map_value(entry, value_field, span, &place.entry(&field.name, &name))?;
        }
        self.close("}")
    }

    fn map_value(
        &mut self,
        entry: &'a Message,
        field: &'a Field,
        span: Span,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let base = self.runs.len();
        self.gather(entry, &[span], place)?;
        match (field.kind, self.runs_of(entry, 2, base)) {
            (Kind::Message(message) | Kind::Group(message), Some((start, end))) => {
                self.merged(message, start, end, place)?;
            }
            (Kind::Message(message) | Kind::Group(message), None) => {
                self.message(message, &[], place)?;
            }
            (kind, found) => match found.and_then(|(start, end)| self.last(start, end)) {
                Some(wire) => self.scalar(kind, wire, place)?,
                None => self.default_scalar(kind, place)?,
            },
        }
        self.runs.truncate(base);
        Ok(())
    }

    /// The key of an entry; the default where it has none.
    fn map_key(&self, field: &Field, span: Span, place: &Place<'_>) -> Result<Key<'a>, Failure> {
        let mut key = match field.kind {
            Kind::String => Key::Text(""),
            Kind::Bool => Key::Bool(false),
            _ => Key::Unsigned(0),
        };
        let mut cursor = Cursor::new(self.bytes, span);
        while let Some(element) = cursor.element().map_err(|wrong| wrong.within(place))? {
            if element.number != 1 {
                continue;
            }
            key = match (field.kind, element.wire) {
                (Kind::String, Wire::Bytes(span)) => Key::Text(self.text(span, place)?),
                (Kind::Bool, Wire::Varint(value)) => Key::Bool(value != 0),
                (Kind::Int32, Wire::Varint(value)) => Key::Signed((value as i32).into()),
                (Kind::Sint32, Wire::Varint(value)) => Key::Signed(zigzag32(value).into()),
                (Kind::Sint64, Wire::Varint(value)) => Key::Signed(zigzag(value)),
                (Kind::Uint32, Wire::Varint(value)) => Key::Unsigned((value as u32).into()),
                (Kind::Fixed32, Wire::Fixed32(value)) => Key::Unsigned(value.into()),
                (Kind::Uint64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => {
                    Key::Unsigned(value)
                }
                (Kind::Sfixed32, Wire::Fixed32(value)) => Key::Signed((value as i32).into()),
                (Kind::Int64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => {
                    Key::Signed(value as i64)
                }
                _ => key,
            };
        }
        Ok(key.settled())
    }
}

impl<'a> Key<'a> {
    /// Zero is one key, whether it was sent or not.
    fn settled(self) -> Self {
        match self {
            Self::Signed(value) => u64::try_from(value).map_or(self, Self::Unsigned),
            key => key,
        }
    }

    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Bool(value) => value.to_string().into(),
            Self::Signed(value) => value.to_string().into(),
            Self::Unsigned(value) => value.to_string().into(),
        }
    }
}
