//! Encoded rows on their way into files.

use super::columns::Columns;
use super::error::Error;
use super::hive::{KeyNotes, Keys, PartitionBy};
use super::lookups::Lookups;
use super::reading::Encoder;
use crate::output::{Column, Emphasis, Format, Renderer, Style, renderer};
use crate::store::EventRow;

/// As many bytes of text are a chunk.
const CHUNK: usize = 1 << 20;

/// A chunk of encoded rows.
pub(super) trait Rows: Send + 'static {
    /// How many they are.
    fn len(&self) -> usize;

    /// By what they are divided; `None` where they are not.
    fn keys(&self) -> Option<&Keys>;
}

/// Rows as text, each with its line break.
#[derive(Debug, Default)]
pub(super) struct TextRows {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    keys: Option<Keys>,
}

impl TextRows {
    /// The text of a row.
    pub(super) fn row(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[place]]
    }

    /// The text of all rows.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Rows for TextRows {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }
}

/// Makes text of rows: CSV, or one JSON object a line.
pub(super) struct TextEncoder {
    columns: Columns,
    renderer: Box<dyn Renderer>,
    rows: TextRows,
    notes: Option<KeyNotes>,
    /// What stands before the first row of a file.
    head: Vec<u8>,
}

impl TextEncoder {
    pub(super) fn new(
        columns: &Columns,
        format: Format,
        style: Style,
        by: Option<PartitionBy>,
    ) -> Result<Self, Error> {
        // What stands around and between the objects of an array is the file's own business.
        let format = if format == Format::Json { Format::Ndjson } else { format };
        let mut renderer = renderer(format, style);
        let mut head = Vec::new();
        let names: Vec<_> = columns.names().into_iter().map(Column::new).collect();
        renderer.begin(&names, &mut head).map_err(Error::Output)?;
        let rows = TextRows::default();
        Ok(Self { columns: columns.clone(), renderer, rows, notes: by.map(KeyNotes::new), head })
    }

    /// What stands before the first row of a file.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl Encoder for TextEncoder {
    type Rows = TextRows;

    fn row(&mut self, row: &EventRow, lookups: &Lookups) -> Result<(), Error> {
        let cells = self.columns.cells(row, lookups)?;
        let written = self.renderer.row(&cells, Emphasis::None, &mut self.rows.bytes);
        written.map_err(Error::Output)?;
        self.rows.ends.push(self.rows.bytes.len());
        match &mut self.notes {
            Some(notes) => notes.row(&self.columns, row),
            None => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        self.rows.bytes.len() >= CHUNK
    }

    fn take(&mut self) -> Result<Option<TextRows>, Error> {
        let capacity = self.rows.bytes.len() + self.rows.bytes.len() / 8;
        let mut rows = std::mem::take(&mut self.rows);
        self.rows.bytes.reserve(capacity.min(2 * CHUNK));
        rows.keys = self.notes.as_mut().map(KeyNotes::take);
        Ok((!rows.ends.is_empty()).then_some(rows))
    }
}
