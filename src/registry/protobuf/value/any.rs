//! `google.protobuf.Any`: a message of any type, with the name of its type.

use crate::event::Reason;
use crate::registry::protobuf::schema::{Form, Message};

use super::failure::Failure;
use super::place::Place;
use super::reader::Reader;
use super::wire::{Span, Wire};

impl<'a> Reader<'a> {
    /// Writes what an Any holds where the schema knows its type, and its bytes in base64 where it
    /// does not, or where they are not of that type.
    pub(super) fn any(
        &mut self,
        message: &Message,
        base: usize,
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let part = |number| match self.last_of(message, number, base) {
            Some(Wire::Bytes(span)) => span,
            _ => Span::default(),
        };
        let (url, value) = (part(1), part(2));
        let url = self.text(url, &place.field("type_url"))?;
        self.open("{")?;
        if url.is_empty() && value.is_empty() {
            return self.close("}");
        }
        self.json.raw("\"@type\":")?;
        self.json.text(url)?;
        let name = url.rsplit_once('/').map(|(_, name)| name);
        let inner = name.and_then(|name| self.tables.index_of(name));
        let is_read = match inner {
            Some(inner) => self.try_any(inner, value, &place.field("value"))?,
            None => false,
        };
        if !is_read {
            self.json.raw(",\"value\":")?;
            self.json.base64(value.of(self.bytes))?;
        }
        self.close("}")
    }

    /// Writes the message within, or nothing.
    fn try_any(&mut self, inner: u32, value: Span, place: &Place<'_>) -> Result<bool, Failure> {
        let (written, runs, depth) = (self.json.len(), self.runs.len(), self.depth);
        let unknown = self.unknown.mark();
        let message = self.tables.message(inner);
        let result = match message.form {
            Form::Plain => self.members(message, &[value], place, false),
            _ => self
                .json
                .raw(",\"value\":")
                .map_err(Failure::from)
                .and_then(|()| self.message(inner, &[value], place)),
        };
        match result {
            Ok(()) => Ok(true),
            Err(Failure::Unreadable(unreadable))
                if matches!(unreadable.reason, Reason::SchemaMismatch | Reason::InvalidUtf8) =>
            {
                self.json.truncate(written);
                self.runs.truncate(runs);
                self.unknown.go_back(unknown);
                self.depth = depth;
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }
}
