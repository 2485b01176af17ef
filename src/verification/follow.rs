//! Hears how far a check is.

use std::ops::Range;

use crate::store::Error;

/// What hears of the progress, and of the offsets that the ledger declares to hold no record.
pub(crate) trait Follow {
    /// Why it goes on no further.
    type Error: From<Error>;

    /// Something begins that may take a while.
    fn doing(&mut self, what: &'static str);

    /// So many rows are going to be read.
    fn rows_expected(&mut self, rows: i64);

    /// So many rows were read.
    fn rows(&mut self, rows: u64);

    /// Holes: the id of the partition, and the offsets.
    async fn holes(&mut self, holes: Vec<(i32, Range<i64>)>) -> Result<(), Self::Error>;
}

/// Hears nothing.
pub(super) struct Nobody;

impl Follow for Nobody {
    type Error = Error;

    fn doing(&mut self, _: &'static str) {}

    fn rows_expected(&mut self, _: i64) {}

    fn rows(&mut self, _: u64) {}

    async fn holes(&mut self, _: Vec<(i32, Range<i64>)>) -> Result<(), Error> {
        Ok(())
    }
}
