//! Rows as they are kept: column by column.

use arrow::array::{Array, AsArray, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::DataType;

use crate::error::Result;

/// Rows with the same columns, kept column by column. A copy shares its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows(RecordBatch);

impl Rows {
    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes that the cells of these rows hold, without what a slice leaves out. It
    /// reads no cell.
    pub fn bytes(&self) -> usize {
        self.0.columns().iter().map(|column| cell_bytes(column, 0, self.len())).sum()
    }

    /// Returns the `len` rows from `from` on, or as many as there are. Nothing is copied: the
    /// memory of all rows stays until the last slice is gone.
    #[must_use]
    pub fn slice(&self, from: usize, len: usize) -> Self {
        let from = from.min(self.len());
        Self(self.0.slice(from, len.min(self.len() - from)))
    }

    /// Returns copies of the rows of these numbers, in their order.
    ///
    /// # Errors
    /// A number is not that of a row, or the texts of a column pass 2 GiB.
    pub fn select(&self, numbers: &[usize]) -> Result<Self> {
        let numbers: UInt64Array = numbers.iter().map(|number| *number as u64).collect();
        Ok(Self(take_record_batch(&self.0, &numbers)?))
    }

    /// Returns the rows as Arrow has them.
    pub fn record_batch(&self) -> &RecordBatch {
        &self.0
    }

    /// Returns how many of the first rows hold at most `bytes` together.
    pub(crate) fn fitting(&self, bytes: usize) -> usize {
        let (mut fits, mut above) = (0, self.len() + 1);
        while above - fits > 1 {
            let middle = fits.midpoint(above);
            let held: usize =
                self.0.columns().iter().map(|column| cell_bytes(column, 0, middle)).sum();
            if held <= bytes {
                fits = middle;
            } else {
                above = middle;
            }
        }
        fits
    }
}

impl From<RecordBatch> for Rows {
    fn from(batch: RecordBatch) -> Self {
        Self(batch)
    }
}

/// Returns the bytes of `len` cells of a column, with the offsets of texts.
fn cell_bytes(column: &dyn Array, from: usize, len: usize) -> usize {
    match column.data_type() {
        DataType::Utf8 => {
            let offsets = column.as_string::<i32>().value_offsets();
            let text = offsets[from + len] - offsets[from];
            usize::try_from(text).unwrap_or_default() + len * size_of::<i32>()
        }
        DataType::FixedSizeBinary(width) => len * usize::try_from(*width).unwrap_or_default(),
        DataType::Boolean => len.div_ceil(8),
        other => len * other.primitive_width().unwrap_or_default(),
    }
}
