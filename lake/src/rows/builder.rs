//! Collects rows cell by cell.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use uuid::Uuid;

use super::cells::{Cells, UUID_BYTES};
use super::columnar::Rows;
use crate::column::{Column, Kind, Storage};
use crate::error::{Error, Result};
use crate::schema::arrow_schema;

/// Text whose room is not kept for the next rows: one huge value does not make all later rows huge.
const KEPT_TEXT: usize = 32 << 20;

/// When rows are enough, and what one column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows from which on [`RowsBuilder::is_full`].
    pub rows: usize,
    /// Bytes of all cells from which on [`RowsBuilder::is_full`].
    pub bytes: usize,
    /// Bytes of text that a column refuses to pass. Arrow counts them in 31 bits.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 8_192, bytes: 8 << 20, text: i32::MAX as usize }
    }
}

/// Collects rows cell by cell: in each row one cell for each column, the last column last.
///
/// A push that fails leaves a row that is not whole; the builder is of no more use then.
#[derive(Debug)]
pub struct RowsBuilder {
    columns: Vec<Column>,
    storage: Storage,
    schema: SchemaRef,
    limits: Limits,
    cells: Vec<Cells>,
    bytes: usize,
}

impl RowsBuilder {
    /// Begins with no rows.
    pub fn new(columns: &[Column], storage: Storage) -> Self {
        Self::with_limits(columns, storage, Limits::default())
    }

    /// Begins with no rows, and limits of one's own.
    pub fn with_limits(columns: &[Column], storage: Storage, limits: Limits) -> Self {
        Self {
            columns: columns.to_vec(),
            storage,
            schema: arrow_schema(columns, storage),
            limits,
            cells: columns.iter().map(|column| Cells::new(column.kind, storage, 0, 0)).collect(),
            bytes: 0,
        }
    }

    /// Returns how many whole rows there are.
    pub fn rows(&self) -> usize {
        self.cells.last().map_or(0, Cells::len)
    }

    /// Returns about how many bytes the cells take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Tells, between two rows, whether it is time to finish. As long as that is heeded, each value
    /// of less than 2 GiB less [`Limits::bytes`] fits.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.limits.bytes || self.rows() >= self.limits.rows
    }

    /// Adds NULL to column `index`.
    ///
    /// # Errors
    /// There is no such column.
    pub fn push_null(&mut self, index: usize) -> Result<()> {
        let columns = self.columns.len();
        self.cells.get_mut(index).ok_or(Error::NoColumn { index, columns })?.push_null();
        self.bytes += 1;
        Ok(())
    }

    /// Adds a number to column `index`, of integers or small integers.
    ///
    /// # Errors
    /// There is no such column, it holds something else, or the number does not fit.
    pub fn push_integer(&mut self, index: usize, value: i64) -> Result<()> {
        match self.cells.get_mut(index) {
            Some(Cells::Integer(cells)) => {
                cells.append_value(value);
                self.bytes += size_of::<i64>();
            }
            Some(Cells::SmallInteger(cells)) => {
                let Ok(small) = i32::try_from(value) else {
                    let column = self.columns[index].name.clone();
                    return Err(Error::TooLarge { column, value });
                };
                cells.append_value(small);
                self.bytes += size_of::<i32>();
            }
            _ => return Err(self.refusal(index, "a number")),
        }
        Ok(())
    }

    /// Adds true or false to column `index`.
    ///
    /// # Errors
    /// There is no such column, or it holds something else.
    pub fn push_boolean(&mut self, index: usize, value: bool) -> Result<()> {
        let Some(Cells::Boolean(cells)) = self.cells.get_mut(index) else {
            return Err(self.refusal(index, "a boolean"));
        };
        cells.append_value(value);
        self.bytes += 1;
        Ok(())
    }

    /// Adds a text to column `index`.
    ///
    /// # Errors
    /// There is no such column, it holds something else, or its texts pass the limit.
    pub fn push_text(&mut self, index: usize, value: &str) -> Result<()> {
        self.push_characters(index, value, Kind::Text, "a text")
    }

    /// Adds a JSON text to column `index`. It is not looked into.
    ///
    /// # Errors
    /// There is no such column, it holds something else, or its texts pass the limit.
    pub fn push_json(&mut self, index: usize, value: &str) -> Result<()> {
        self.push_characters(index, value, Kind::Json, "a JSON text")
    }

    /// Adds a UUID to column `index`.
    ///
    /// # Errors
    /// There is no such column, it holds something else, or its texts pass the limit.
    pub fn push_uuid(&mut self, index: usize, value: Uuid) -> Result<()> {
        if let Some(Cells::Uuid(cells)) = self.cells.get_mut(index) {
            cells.append_value(value.as_bytes())?;
            self.bytes += UUID_BYTES;
            return Ok(());
        }
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = value.hyphenated().encode_lower(&mut text);
        self.push_characters(index, text, Kind::Uuid, "a UUID")
    }

    /// Adds a moment to column `index`, in microseconds since 1970 in UTC.
    ///
    /// # Errors
    /// There is no such column, or it holds something else.
    pub fn push_moment(&mut self, index: usize, micros: i64) -> Result<()> {
        let Some(Cells::Moment(cells)) = self.cells.get_mut(index) else {
            return Err(self.refusal(index, "a moment"));
        };
        cells.append_value(micros);
        self.bytes += size_of::<i64>();
        Ok(())
    }

    /// Hands the rows over, and begins anew with room for as many.
    ///
    /// # Errors
    /// A row is not whole. The rows are gone then.
    pub fn finish(&mut self) -> Result<Rows> {
        let storage = self.storage;
        let rows = self.cells.first().map_or(0, Cells::len);
        let cells: Vec<Cells> = self
            .cells
            .iter_mut()
            .zip(&self.columns)
            .map(|(cells, column)| {
                let text = cells.text_bytes();
                let room = (text + text / 8).min(KEPT_TEXT);
                std::mem::replace(cells, Cells::new(column.kind, storage, rows, room))
            })
            .collect();
        self.bytes = 0;
        for (column, cells) in self.columns.iter().zip(&cells) {
            if cells.len() != rows {
                let (column, cells) = (column.name.clone(), cells.len());
                return Err(Error::Uneven { column, cells, rows });
            }
        }
        let arrays = cells.into_iter().map(Cells::finish).collect();
        Ok(RecordBatch::try_new(self.schema.clone(), arrays)?.into())
    }

    fn push_characters(
        &mut self,
        index: usize,
        value: &str,
        kind: Kind,
        given: &'static str,
    ) -> Result<()> {
        let (Some(Cells::Text(cells)), Some(column)) =
            (self.cells.get_mut(index), self.columns.get(index))
        else {
            return Err(self.refusal(index, given));
        };
        if column.kind != kind {
            return Err(self.refusal(index, given));
        }
        if cells.values_slice().len() + value.len() > self.limits.text {
            return Err(Error::Full { column: column.name.clone(), limit: self.limits.text });
        }
        cells.append_value(value);
        self.bytes += value.len() + size_of::<i32>();
        Ok(())
    }

    #[cold]
    fn refusal(&self, index: usize, given: &'static str) -> Error {
        match self.columns.get(index) {
            Some(Column { name, kind }) => {
                Error::WrongKind { column: name.clone(), holds: *kind, given }
            }
            None => Error::NoColumn { index, columns: self.columns.len() },
        }
    }
}
