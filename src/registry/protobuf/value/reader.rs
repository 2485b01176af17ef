//! The reader of values: what it holds while it reads, and how deep it may go.

use crate::event::json::MAX_DEPTH;
use crate::event::{Reason, Unreadable};
use crate::registry::json_writer::JsonWriter;
use crate::registry::protobuf::large_stack::on_large_stack;
use crate::registry::protobuf::schema::Tables;

use super::failure::Failure;
use super::place::Place;
use super::unknown::UnknownFields;
use super::wire::{Cursor, Span, Wire};

/// As many levels are read on the caller's stack, whose size nobody knows.
const SHALLOW: usize = 32;

/// What is deeper is read anew on a thread with this much: it is rare.
const STACK_BYTES: usize = 64 << 20;

/// What a message became, and its unknown fields.
pub(in crate::registry::protobuf) type ReadMessage = (String, Vec<(String, Vec<u8>)>);

/// Reads the message that stands in a part of the bytes.
pub(in crate::registry::protobuf) fn read(
    tables: &Tables,
    message: u32,
    bytes: &[u8],
    span: Span,
) -> Result<ReadMessage, Unreadable> {
    match read_to_depth(tables, message, bytes, span, SHALLOW) {
        Ok(read) => return Ok(read),
        Err(Failure::Unreadable(unreadable)) => return Err(unreadable),
        Err(Failure::Deep) => {}
    }
    let deep = on_large_stack("protobuf-value", STACK_BYTES, || {
        read_to_depth(tables, message, bytes, span, MAX_DEPTH)
    });
    match deep {
        Some(Ok(read)) => Ok(read),
        Some(Err(Failure::Unreadable(unreadable))) => Err(unreadable),
        Some(Err(Failure::Deep)) => {
            let reason = Reason::NestedTooDeep;
            Err(Unreadable { reason, detail: reason.describe().to_owned() })
        }
        None => {
            let reason = Reason::SchemaMismatch;
            let detail = format!("{}: the reader failed", reason.describe());
            Err(Unreadable { reason, detail })
        }
    }
}

fn read_to_depth(
    tables: &Tables,
    message: u32,
    bytes: &[u8],
    span: Span,
    max_depth: usize,
) -> Result<ReadMessage, Failure> {
    let mut reader = Reader {
        tables,
        bytes,
        json: JsonWriter::with_capacity(span.of(bytes).len().min(1 << 20) * 2),
        unknown: UnknownFields::default(),
        runs: Vec::new(),
        depth: 0,
        max_depth,
    };
    reader.message(message, &[span], &Place::ROOT)?;
    Ok((reader.json.finish(), reader.unknown.finish()))
}

/// Reads one value.
pub(super) struct Reader<'a> {
    pub(super) tables: &'a Tables,
    /// All bytes, which spans are parts of.
    pub(super) bytes: &'a [u8],
    pub(super) json: JsonWriter,
    pub(super) unknown: UnknownFields,
    /// The fields of the message that is read, behind those of the messages around it.
    pub(super) runs: Vec<Run>,
    /// How many objects and lists are open.
    pub(super) depth: usize,
    max_depth: usize,
}

/// Values of one field that stand side by side. However many there are, it is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Which of the message's fields.
    pub(super) field: u32,
    /// The values with their tags.
    pub(super) span: Span,
}

/// The values of a field, which stand in the runs from a place to another. While they are read the
/// runs of messages within them come and go behind.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    pub(super) next: usize,
    pub(super) end: usize,
    pub(super) cursor: Cursor<'a>,
}

impl Elements<'_> {
    /// Before the first.
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { next: start, end, cursor: Cursor::default() }
    }
}

impl Reader<'_> {
    /// Begins an object or a list.
    pub(super) fn open(&mut self, bracket: &str) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > self.max_depth {
            return Err(Failure::Deep);
        }
        Ok(self.json.raw(bracket)?)
    }

    /// Ends it.
    pub(super) fn close(&mut self, bracket: &str) -> Result<(), Failure> {
        self.depth -= 1;
        Ok(self.json.raw(bracket)?)
    }

    /// A comma before all but the first.
    pub(super) fn comma(&mut self, index: usize) -> Result<(), Failure> {
        if index > 0 {
            self.json.raw(",")?;
        }
        Ok(())
    }

    /// A comma, unless the list has just begun.
    pub(super) fn item_comma(&mut self) -> Result<(), Failure> {
        if !self.json.ends_with('[') {
            self.json.raw(",")?;
        }
        Ok(())
    }
}

/// The part that a message or a group stands in.
pub(super) fn part(wire: Wire) -> Option<Span> {
    match wire {
        Wire::Bytes(span) | Wire::Group(span) => Some(span),
        _ => None,
    }
}
