//! The JSON of a log: four arrays, one after the other, with a line for each of their items.

use std::io::{self, Write};

use serde::Serialize;
use uuid::Uuid;

use super::attribute::{Attribute, AttributeType};

/// A log that is being written.
pub(super) struct Document<'a> {
    output: &'a mut (dyn Write + Send),
    /// Whether the array that is open has an item.
    has_item: bool,
    /// Whether an array is open.
    is_open: bool,
}

/// An array of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    ObjectTypes,
    EventTypes,
    Objects,
    Events,
}

/// A type of events or of objects.
#[derive(Debug, Serialize)]
pub(super) struct NamedType<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: &'a [AttributeType<'a>],
}

/// An object, which has no attributes.
#[derive(Debug, Serialize)]
pub(super) struct Object<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) attributes: [(); 0],
}

/// An event.
#[derive(Debug, Serialize)]
pub(super) struct Event<'a> {
    pub(super) id: Uuid,
    #[serde(rename = "type")]
    pub(super) event_type: &'a str,
    pub(super) time: &'a str,
    pub(super) attributes: &'a [Attribute<'a>],
    pub(super) relationships: &'a [Relationship],
}

/// That an event is about an object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    pub(super) object_id: String,
    pub(super) qualifier: &'static str,
}

impl<'a> Document<'a> {
    pub(super) fn begin(output: &'a mut (dyn Write + Send)) -> io::Result<Self> {
        output.write_all(b"{")?;
        Ok(Self { output, has_item: false, is_open: false })
    }

    /// Ends the array that is open, and begins this one.
    pub(super) fn begin_part(&mut self, part: Part) -> io::Result<()> {
        if self.is_open {
            self.output.write_all(b"],\n")?;
        }
        (self.is_open, self.has_item) = (true, false);
        write!(self.output, "\"{}\":[", part.name())
    }

    /// Adds an item to the array that is open.
    pub(super) fn item(&mut self, item: &impl Serialize) -> io::Result<()> {
        let before: &[u8] = if self.has_item { b",\n" } else { b"\n" };
        self.has_item = true;
        self.output.write_all(before)?;
        Ok(serde_json::to_writer(&mut self.output, item)?)
    }

    /// Ends the array that is open, and the log.
    pub(super) fn end(self) -> io::Result<()> {
        self.output.write_all(if self.is_open { b"]}\n" } else { b"}\n" })
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::ObjectTypes => "objectTypes",
            Self::EventTypes => "eventTypes",
            Self::Objects => "objects",
            Self::Events => "events",
        }
    }
}
