//! Protocol Buffers: messages in their wire format, with the schema out of a registry or a file.

mod files;
mod large_stack;
mod schema;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::event::{Reason, Unreadable};
use schema::{Field, Imports, Kind, Numbering, Shape, Tables, compile};
use value::{Cursor, Span, mismatch};

/// A schema of Protocol Buffers, with all files that it imports.
#[derive(Debug)]
pub struct ProtobufSchema {
    tables: Tables,
    numbering: Numbering,
}

/// What a message became.
#[derive(Debug, PartialEq, Eq)]
pub struct ProtobufMessage {
    /// The JSON.
    pub json: String,
    /// The message's full name.
    pub name: Arc<str>,
    /// Fields that the schema does not have, as they came, by the path of the message that holds
    /// them.
    pub unknown_fields: Vec<(String, Vec<u8>)>,
    /// Of a message that has one field alone: the text of its default, which JSON leaves out.
    pub default_of_only_field: Option<String>,
}

impl ProtobufSchema {
    /// Reads a schema (.proto text, or a `FileDescriptorProto` in base64), and those that it
    /// imports by the name of the import.
    ///
    /// # Errors
    /// What is wrong with it, as a lowercase fragment.
    pub fn parse(schema: &str, references: &[(String, String)]) -> Result<Self, String> {
        Self::compile("the schema", schema, &References(references))
    }

    /// Reads a .proto file. Its imports are looked up below its folder.
    ///
    /// # Errors
    /// What is wrong with it, or with a file that it imports, as a lowercase fragment.
    pub fn open(path: &Path) -> Result<Self, String> {
        let text = files::read(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::compile(&name, &text, &files::Folder::new(folder))
    }

    fn compile(name: &str, schema: &str, imports: &dyn Imports) -> Result<Self, String> {
        let (tables, numbering) = compile(name, schema, imports)?;
        Ok(Self { tables, numbering })
    }

    /// The JSON of what follows the schema's id: the indexes of a message, then the message.
    ///
    /// # Errors
    /// Bytes that are no such message, or that no JSON can hold.
    pub fn read(&self, bytes: &[u8]) -> Result<ProtobufMessage, Unreadable> {
        let mut cursor = Cursor::new(bytes, Span::new(0, bytes.len()));
        let indexes = indexes(&mut cursor)?;
        let mut names = self.numbering.at(&indexes).into_iter();
        let Some(name) = names.next() else {
            return Err(mismatch(format_args!(
                "the schema has no message with the indexes {indexes:?}"
            )));
        };
        let likelier = self.read_from(name, bytes, cursor.at());
        // Producers count in two ways where a message has maps: see `Numbering`.
        let Some(other) = names.next() else { return likelier };
        let fits = |read: &Result<ProtobufMessage, Unreadable>| {
            read.as_ref().is_ok_and(|message| message.unknown_fields.is_empty())
        };
        if fits(&likelier) {
            return likelier;
        }
        let other = self.read_from(other, bytes, cursor.at());
        if fits(&other) || likelier.is_err() { other } else { likelier }
    }

    /// The full names of the messages of the file, in its order.
    pub fn message_names(&self) -> Vec<&str> {
        self.numbering.names()
    }

    /// The JSON of a bare message: of this name, else of the first in the file.
    ///
    /// # Errors
    /// As [`ProtobufSchema::read`]; and a name that the file does not have.
    pub fn read_message(
        &self,
        name: Option<&str>,
        bytes: &[u8],
    ) -> Result<ProtobufMessage, Unreadable> {
        match name.or(self.numbering.first()) {
            Some(name) => self.read_from(name, bytes, 0),
            None => Err(mismatch("the schema has no message")),
        }
    }

    fn read_from(
        &self,
        name: &str,
        bytes: &[u8],
        start: usize,
    ) -> Result<ProtobufMessage, Unreadable> {
        let message = self
            .tables
            .index_of(name)
            .ok_or_else(|| mismatch(format_args!("the schema has no message {name:?}")))?;
        if u32::try_from(bytes.len()).is_err() {
            let reason = Reason::TooLarge;
            return Err(Unreadable { reason, detail: reason.describe().to_owned() });
        }
        let span = Span::new(start, bytes.len());
        let (json, unknown_fields) = value::read(&self.tables, message, bytes, span)?;
        let message = self.tables.message(message);
        let default_of_only_field = match message.fields.as_slice() {
            [only] => Some(self.default_of(only)),
            _ => None,
        };
        let name = Arc::clone(&message.full_name);
        Ok(ProtobufMessage { json, name, unknown_fields, default_of_only_field })
    }

    /// The default of a field as a text; empty where it has no default, or that is empty.
    fn default_of(&self, field: &Field) -> String {
        if field.has_presence || field.shape != Shape::One {
            return String::new();
        }
        match field.kind {
            Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Group(_) | Kind::Null => {
                String::new()
            }
            Kind::Bool => "false".to_owned(),
            Kind::Enum(index) => {
                let number = self.tables.enum_default(index);
                let name = self.tables.enum_name(index, number);
                name.map_or_else(|| number.to_string(), str::to_owned)
            }
            _ => "0".to_owned(),
        }
    }
}

/// The indexes before a message: how many, and each, as numbers with a sign. Nothing at all stands
/// for the first message.
fn indexes(cursor: &mut Cursor<'_>) -> Result<Vec<usize>, Unreadable> {
    /// Messages stand in each other 100 times at most.
    const MOST: usize = 100;
    let mut next = |what: &str| {
        let at = cursor.at();
        let number = cursor.varint().map_err(|wrong| {
            mismatch(format_args!("the indexes of the message: {}, at byte {at}", wrong.what))
        })?;
        // The last bit is the sign.
        match usize::try_from(number >> 1) {
            Ok(index) if number & 1 == 0 => Ok(index),
            _ => Err(mismatch(format_args!("{what} of the message is negative, at byte {at}"))),
        }
    };
    let count = next("the number of indexes")?;
    if count > MOST {
        return Err(mismatch(format_args!("the message has {count} indexes")));
    }
    if count == 0 {
        return Ok(vec![0]);
    }
    (0..count).map(|_| next("an index")).collect()
}

/// The references of a schema in a registry.
struct References<'a>(&'a [(String, String)]);

impl Imports for References<'_> {
    fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, String> {
        let found = self.0.iter().find(|(reference, _)| reference == name);
        Ok(found.map(|(_, schema)| schema.as_str().into()))
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}
