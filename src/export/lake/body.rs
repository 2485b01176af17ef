//! The content of a Parquet file.

use lake::column::{Column, Storage};
use lake::file::{FileOptions, ParquetFile};

use super::encoder::ColumnRows;
use crate::export::error::Error;
use crate::export::files::{Body, Output, Place, Written};

/// The content of a Parquet file.
pub(in crate::export) struct ParquetBody {
    file: ParquetFile<Output>,
    place: Place,
}

impl ParquetBody {
    pub(in crate::export) fn new(
        output: Output,
        columns: &[Column],
        options: FileOptions,
    ) -> Result<Self, Error> {
        let place = output.place();
        let file = ParquetFile::new(output, columns, Storage::Parquet, options)
            .map_err(|error| placed(&place, error))?;
        Ok(Self { file, place })
    }
}

/// An error of writing, with its place.
fn placed(place: &Place, error: lake::error::Error) -> Error {
    match error {
        lake::error::Error::Output(error) => place.error(error),
        error => Error::Lake(error),
    }
}

impl Body for ParquetBody {
    type Rows = ColumnRows;

    const STEP: usize = 1_000;

    fn write(&mut self, rows: &ColumnRows) -> Result<(), Error> {
        self.file.write(rows.rows()).map_err(|error| placed(&self.place, error))
    }

    fn write_some(&mut self, rows: &ColumnRows, places: &[u32]) -> Result<(), Error> {
        let numbers: Vec<usize> = places.iter().map(|place| *place as usize).collect();
        let rows = rows.rows().select(&numbers)?;
        self.file.write(&rows).map_err(|error| placed(&self.place, error))
    }

    fn size(&self) -> u64 {
        self.file.expected_bytes() as u64
    }

    fn held(&self) -> usize {
        self.file.buffered_bytes()
    }

    fn relieve(&mut self) -> Result<(), Error> {
        self.file.flush_row_group().map_err(|error| placed(&self.place, error))
    }

    fn rest(&mut self) -> Result<(), Error> {
        self.file.settle(Output::rest).map_err(|error| placed(&self.place, error))
    }

    fn finish(self) -> Result<Written, Error> {
        let Self { file, place } = self;
        let (output, _) = file.finish().map_err(|error| placed(&place, error))?;
        output.finish()
    }
}
