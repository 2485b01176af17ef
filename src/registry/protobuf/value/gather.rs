//! The fields of one message: where they stand.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::registry::protobuf::schema::{Field, Kind, Message, Shape};

use super::failure::Failure;
use super::place::Place;
use super::reader::{Elements, Reader, Run};
use super::wire::{Cursor, Element, Span, Wire};

impl<'a> Reader<'a> {
    /// Finds the fields of a message that stands in one part, or in several that are merged. They
    /// are put behind the runs that are there, in the order of their numbers; what the schema does
    /// not have is kept as unknown.
    pub(super) fn gather(
        &mut self,
        message: &'a Message,
        spans: &[Span],
        place: &Place<'_>,
    ) -> Result<(), Failure> {
        let base = self.runs.len();
        let mut has_unknown = false;
        for span in spans {
            let mut cursor = Cursor::new(self.bytes, *span);
            while let Some(element) = cursor.element().map_err(|wrong| wrong.within(place))? {
                let span = Span::new(element.start, cursor.at());
                let known = message
                    .field_at(element.number)
                    .filter(|field| fits(&message.fields[*field as usize], element.wire));
                let Some(field) = known else {
                    if !has_unknown {
                        self.unknown.begin(place)?;
                        has_unknown = true;
                    }
                    self.unknown.add(span.of(self.bytes))?;
                    continue;
                };
                match self.runs.get_mut(base..).and_then(<[Run]>::last_mut) {
                    Some(last) if last.field == field && last.span.end == span.start => {
                        last.span.end = span.end;
                    }
                    _ => self.runs.push(Run { field, span }),
                }
            }
        }
        if message.has_oneofs() {
            self.settle_oneofs(message, base);
        }
        let runs = self.runs.get_mut(base..).unwrap_or_default();
        if !runs.is_sorted_by_key(|run| run.field) {
            runs.sort_by_key(|run| run.field);
        }
        Ok(())
    }

    /// Of the fields of a oneof the last on the wire counts, and of it only what stands behind the
    /// others.
    fn settle_oneofs(&mut self, message: &Message, base: usize) {
        // The field that won, and whether another stood before it.
        let mut winners: HashMap<u32, (u32, bool)> = HashMap::new();
        let mut loses = |run: &Run| {
            let Some(oneof) = message.fields[run.field as usize].oneof else { return false };
            match winners.entry(oneof) {
                Entry::Vacant(vacant) => {
                    vacant.insert((run.field, false));
                    false
                }
                Entry::Occupied(mut winner) => {
                    let (field, is_over) = winner.get_mut();
                    *is_over |= *field != run.field;
                    *is_over
                }
            }
        };
        let runs = self.runs.get(base..).unwrap_or_default();
        let kept: Vec<Run> = runs.iter().rev().filter(|run| !loses(run)).copied().collect();
        if kept.len() < runs.len() {
            self.runs.truncate(base);
            self.runs.extend(kept.into_iter().rev());
        }
    }

    /// Where the runs of the field end that begin at a place.
    pub(super) fn end_of_field(&self, start: usize) -> usize {
        let runs = self.runs.get(start..).unwrap_or_default();
        let same =
            runs.iter().take_while(|run| Some(run.field) == runs.first().map(|run| run.field));
        start + same.count()
    }

    /// The next value of a field. Nothing is wrong with it: it was found before.
    pub(super) fn next(&self, elements: &mut Elements<'a>) -> Option<Element> {
        loop {
            if let Some(element) = elements.cursor.element().ok().flatten() {
                return Some(element);
            }
            if elements.next >= elements.end {
                return None;
            }
            elements.cursor = Cursor::new(self.bytes, self.runs.get(elements.next)?.span);
            elements.next += 1;
        }
    }

    /// The last value of a field.
    pub(super) fn last(&self, start: usize, end: usize) -> Option<Wire> {
        let run = self.runs.get(start..end)?.last()?;
        let mut cursor = Cursor::new(self.bytes, run.span);
        let mut last = None;
        while let Ok(Some(element)) = cursor.element() {
            last = Some(element.wire);
        }
        last
    }

    /// The last value of the field with this number, of a message whose runs begin at a place.
    pub(super) fn last_of(&self, message: &Message, number: u32, base: usize) -> Option<Wire> {
        let (start, end) = self.runs_of(message, number, base)?;
        self.last(start, end)
    }

    /// The runs of the field with this number, of a message whose runs begin at a place.
    pub(super) fn runs_of(
        &self,
        message: &Message,
        number: u32,
        base: usize,
    ) -> Option<(usize, usize)> {
        let field = message.field_at(number)?;
        let runs = self.runs.get(base..)?;
        let start = base + runs.partition_point(|run| run.field < field);
        let end = base + runs.partition_point(|run| run.field <= field);
        (start < end).then_some((start, end))
    }
}

/// Whether a value of this wire type can be one of the field's.
fn fits(field: &Field, wire: Wire) -> bool {
    match wire {
        Wire::Varint(_) => matches!(
            field.kind,
            Kind::Int32
                | Kind::Int64
                | Kind::Uint32
                | Kind::Uint64
                | Kind::Sint32
                | Kind::Sint64
                | Kind::Bool
                | Kind::Enum(_)
                | Kind::Null
        ),
        Wire::Fixed64(_) => matches!(field.kind, Kind::Double | Kind::Fixed64 | Kind::Sfixed64),
        Wire::Fixed32(_) => matches!(field.kind, Kind::Float | Kind::Fixed32 | Kind::Sfixed32),
        Wire::Bytes(_) => match field.kind {
            Kind::String | Kind::Bytes | Kind::Message(_) => true,
            Kind::Group(_) => false,
            _ => field.shape == Shape::List,
        },
        Wire::Group(_) => matches!(field.kind, Kind::Group(_)),
    }
}
