//! What every format does with rows.

use std::io::{self, Write};

use super::column::{Column, Emphasis};
use crate::value::Value;

/// Writes rows in one format. `begin` once, `row` for each, `end` once; what is written between
/// them is whole rows.
pub trait Renderer: Send {
    /// Takes the columns, and writes what stands before the first row.
    ///
    /// # Errors
    /// Those of `output`.
    fn begin(&mut self, columns: &[Column], output: &mut dyn Write) -> io::Result<()>;

    /// Looks at a row that follows soon, so that the columns have room for it from the beginning.
    fn expect(&mut self, _cells: &[Value<'_>]) {}

    /// Writes one row with as many cells as there are columns.
    ///
    /// # Errors
    /// Those of `output`.
    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()>;

    /// Writes what stands after the last row.
    ///
    /// # Errors
    /// Those of `output`.
    fn end(&mut self, output: &mut dyn Write) -> io::Result<()>;
}
