//! The content of one file.

use std::io::Write;

use super::compression::{Compression, Compressor};
use super::output::{Output, Place, Written};
use crate::export::error::Error;
use crate::export::rows::{Rows, TextRows};

/// The content of one file, in the making.
pub(in crate::export) trait Body: Sized {
    /// The rows that it takes.
    type Rows: Rows;

    /// How many rows are written between two looks at its size.
    const STEP: usize;

    /// Writes all of the rows.
    fn write(&mut self, rows: &Self::Rows) -> Result<(), Error>;

    /// Writes some of the rows, by their places.
    fn write_some(&mut self, rows: &Self::Rows, places: &[u32]) -> Result<(), Error>;

    /// How large the file is by now, about.
    fn size(&self) -> u64;

    /// How many bytes it holds in memory, and could write.
    fn held(&self) -> usize {
        0
    }

    /// Writes what it holds in memory.
    fn relieve(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Gives its open file back until it is written to again.
    fn rest(&mut self) -> Result<(), Error>;

    /// Ends it.
    fn finish(self) -> Result<Written, Error>;
}

/// What stands around and between rows of text.
#[derive(Debug, Clone)]
pub(in crate::export) struct Frame {
    /// What stands before the first row.
    pub(in crate::export) head: Vec<u8>,
    /// Whether the rows are the items of one JSON array.
    pub(in crate::export) is_array: bool,
}

/// CSV, NDJSON, or a JSON array.
pub(in crate::export) struct TextBody {
    output: Compressor,
    place: Place,
    is_array: bool,
    is_empty: bool,
}

impl TextBody {
    pub(in crate::export) fn new(
        output: Output,
        compression: Option<Compression>,
        frame: &Frame,
    ) -> Result<Self, Error> {
        let place = output.place();
        let begun = Compressor::new(output, compression).and_then(|mut output| {
            output.write_all(&frame.head)?;
            if frame.is_array {
                output.write_all(b"[")?;
            }
            Ok(output)
        });
        let output = begun.map_err(|error| place.error(error))?;
        Ok(Self { output, place, is_array: frame.is_array, is_empty: true })
    }

    fn item(&mut self, row: &[u8]) -> std::io::Result<()> {
        if self.is_array {
            self.output.write_all(if self.is_empty { b"\n" } else { b",\n" })?;
            self.is_empty = false;
            return self.output.write_all(row.strip_suffix(b"\n").unwrap_or(row));
        }
        self.output.write_all(row)
    }
}

impl Body for TextBody {
    type Rows = TextRows;

    const STEP: usize = 1;

    fn write(&mut self, rows: &TextRows) -> Result<(), Error> {
        let written = match self.is_array {
            false => self.output.write_all(rows.bytes()),
            true => (0..rows.len()).try_for_each(|place| self.item(rows.row(place))),
        };
        written.map_err(|error| self.place.error(error))
    }

    fn write_some(&mut self, rows: &TextRows, places: &[u32]) -> Result<(), Error> {
        let written = places.iter().try_for_each(|place| self.item(rows.row(*place as usize)));
        written.map_err(|error| self.place.error(error))
    }

    fn size(&self) -> u64 {
        self.output.size()
    }

    fn rest(&mut self) -> Result<(), Error> {
        self.output.rest().map_err(|error| self.place.error(error))
    }

    fn finish(mut self) -> Result<Written, Error> {
        let end: &[u8] = match (self.is_array, self.is_empty) {
            (false, _) => b"",
            (true, true) => b"]\n",
            (true, false) => b"\n]\n",
        };
        let finished = self.output.write_all(end).and_then(|()| self.output.finish());
        finished.map_err(|error| self.place.error(error))?.finish()
    }
}
