//! Writes one Parquet file: row groups are encoded on threads, and appended in order.

mod encoders;
mod options;
mod output;
mod row_group;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::column::{Column, Storage};
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::schema::arrow_schema;

use output::{Output, Slot};
use row_group::{Encoded, InWork};

pub use encoders::Encoders;
pub use options::FileOptions;
pub use parquet::file::metadata::ParquetMetaData;

/// A guess of how far rows shrink, until the first row group has shown it.
const SHRINK: f64 = 0.25;

/// A Parquet file while it is written.
///
/// Rows are gathered until they are enough for a row group; that is encoded on a thread, where one
/// is free, while the next rows come. The memory is that of the rows that are gathered, and of as
/// many row groups as there are [`Encoders`]. A file that failed, or is dropped before
/// [`ParquetFile::finish`], has no footer, and nobody can read it.
pub struct ParquetFile<W: Write + Send> {
    file: SerializedFileWriter<Output<W>>,
    slot: Slot<W>,
    schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
    options: FileOptions,
    gathered: Vec<Rows>,
    gathered_rows: usize,
    gathered_bytes: usize,
    in_work: VecDeque<InWork>,
    row_groups: usize,
    rows: u64,
    appended_raw: usize,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file on `output`, which need not be buffered.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn new(
        output: W,
        columns: &[Column],
        storage: Storage,
        options: FileOptions,
    ) -> Result<Self> {
        let schema = arrow_schema(columns, storage);
        let properties = Arc::new(options.properties(columns, storage)?);
        let root = ArrowSchemaConverter::new().convert(&schema)?.root_schema_ptr();
        let (output, slot) = output::shared(output);
        let file = SerializedFileWriter::new(output, root, properties)
            .map_err(|error| told(&slot, error))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema));
        Ok(Self {
            file,
            slot,
            schema,
            factory,
            options,
            gathered: Vec::new(),
            gathered_rows: 0,
            gathered_bytes: 0,
            in_work: VecDeque::new(),
            row_groups: 0,
            rows: 0,
            appended_raw: 0,
        })
    }

    /// Adds rows behind those that are there.
    ///
    /// # Errors
    /// They have other columns, cannot be encoded, or the output cannot be written.
    pub fn write(&mut self, rows: &Rows) -> Result<()> {
        if *rows.record_batch().schema_ref() != self.schema {
            return Err(Error::OtherColumns);
        }
        self.rows += rows.len() as u64;
        let mut left = rows.clone();
        while !left.is_empty() {
            let taken = self.room(&left);
            if taken > 0 {
                self.gather(left.slice(0, taken));
                left = left.slice(taken, left.len());
            }
            if !left.is_empty() || self.gathered_rows >= self.options.row_group_rows {
                self.flush_row_group()?;
            }
        }
        Ok(())
    }

    /// Ends the row group: its rows are handed to a thread, or encoded here if none is free.
    ///
    /// # Errors
    /// Rows cannot be encoded, or the output cannot be written.
    pub fn flush_row_group(&mut self) -> Result<()> {
        self.append_what_is_ready()?;
        if self.gathered.is_empty() {
            return Ok(());
        }
        while self.in_work.len() >= self.options.encoders.threads().max(1) {
            self.append_oldest()?;
        }
        let gathered = std::mem::take(&mut self.gathered);
        let raw = std::mem::take(&mut self.gathered_bytes);
        self.gathered_rows = 0;
        let writers = self.factory.create_column_writers(self.row_groups)?;
        self.row_groups += 1;
        let in_work = InWork::begin(writers, gathered, raw, &self.options.encoders)?;
        self.in_work.push_back(in_work);
        self.append_what_is_ready()
    }

    /// Returns how many rows were given.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the bytes of the rows, as they were given, that have not reached the output.
    pub fn buffered_bytes(&self) -> usize {
        self.gathered_bytes + self.in_work.iter().map(InWork::raw_bytes).sum::<usize>()
    }

    /// Returns the bytes of the row groups that have reached the output: exact, without rows that
    /// are buffered, and without the footer.
    pub fn written_bytes(&self) -> usize {
        self.file.bytes_written()
    }

    /// Returns about how large the file would be if it ended now, without its footer: what is
    /// written, and what is buffered at the rate at which rows have shrunk so far. Before the first
    /// row group is written that rate is a guess.
    pub fn expected_bytes(&self) -> usize {
        let rate = if self.appended_raw > 0 {
            self.written_bytes() as f64 / self.appended_raw as f64
        } else {
            SHRINK
        };
        self.written_bytes() + (self.buffered_bytes() as f64 * rate) as usize
    }

    /// Writes what is left and the footer, flushes the output, and gives it back.
    ///
    /// # Errors
    /// Rows cannot be encoded, or the output cannot be written.
    pub fn finish(mut self) -> Result<(W, ParquetMetaData)> {
        self.flush_row_group()?;
        while !self.in_work.is_empty() {
            self.append_oldest()?;
        }
        let metadata = self.file.finish().map_err(|error| told(&self.slot, error))?;
        let output = self.slot.take().ok_or(Error::Encoder)?;
        Ok((output, metadata))
    }

    /// Returns how many of the rows still belong to the row group that is gathered: at least one
    /// if it is empty.
    fn room(&self, rows: &Rows) -> usize {
        let most = self.options.row_group_rows.max(1) - self.gathered_rows;
        let bytes = self.options.row_group_bytes.saturating_sub(self.gathered_bytes);
        let fitting = if rows.bytes() <= bytes { rows.len() } else { rows.fitting(bytes) };
        let least = usize::from(self.gathered.is_empty());
        fitting.max(least).min(most)
    }

    fn gather(&mut self, rows: Rows) {
        self.gathered_rows += rows.len();
        self.gathered_bytes += rows.bytes();
        self.gathered.push(rows);
    }

    fn append_what_is_ready(&mut self) -> Result<()> {
        while self.in_work.front().is_some_and(InWork::is_ready) {
            self.append_oldest()?;
        }
        Ok(())
    }

    fn append_oldest(&mut self) -> Result<()> {
        let Some(oldest) = self.in_work.pop_front() else { return Ok(()) };
        let raw = oldest.raw_bytes();
        let encoded = oldest.wait()?;
        append(&mut self.file, encoded).map_err(|error| told(&self.slot, error))?;
        self.appended_raw += raw;
        Ok(())
    }
}

fn append<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    encoded: Encoded,
) -> Result<(), ParquetError> {
    let mut row_group = file.next_row_group()?;
    for column in encoded {
        column.append_to_row_group(&mut row_group)?;
    }
    row_group.close()?;
    Ok(())
}

/// Returns the error of the output, where that is why Parquet failed.
fn told<W>(slot: &Slot<W>, error: ParquetError) -> Error {
    slot.take_error().map_or(Error::Encode(error), Error::Output)
}
