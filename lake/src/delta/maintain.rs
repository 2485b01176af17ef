//! What keeps a table of many versions and small files quick to open and to read.

use delta_kernel::snapshot::CheckpointWriteResult;

use super::{Error, Table};
use crate::column::Column;
use crate::file::FileOptions;

/// After how many commits a table is looked after, where it does not say so itself
/// (`delta.checkpointInterval`).
const INTERVAL: u64 = 50;

/// How a table is looked after.
#[derive(Debug, Clone)]
pub struct Maintenance<'a> {
    /// The columns of the table. One with other columns keeps its files as they are.
    pub columns: &'a [Column],
    /// A column of numbers that grow from file to file: files are put together in its order.
    pub order: &'a str,
    /// Files of fewer bytes are put together.
    pub small: u64,
    /// How many bytes a file should have.
    pub target: u64,
    /// How many small files of a day it takes.
    pub least: usize,
    /// How files are written.
    pub options: FileOptions,
}

impl<'a> Maintenance<'a> {
    /// What suits most tables: from 20 files below 32 MiB of a day on, files of about 128 MiB.
    #[must_use]
    pub fn new(columns: &'a [Column], order: &'a str, options: FileOptions) -> Self {
        Self { columns, order, small: 32 << 20, target: 128 << 20, least: 20, options }
    }
}

/// What was done for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintained {
    /// How many small files were put together.
    pub from: usize,
    /// Into how many.
    pub into: usize,
    /// Whether a checkpoint was written: what is needed to open this version, in one file.
    pub checkpoint: bool,
}

impl Table {
    /// Looks after the table where it is time to: after every 50th commit, or as often as the
    /// table says itself (`delta.checkpointInterval`). Small data files of a day are put together,
    /// in versions that add no row; the old files stay for those who still read them, until a
    /// VACUUM. Then a checkpoint is written. Where others commit in between, files are put
    /// together another time.
    ///
    /// Call it after [`Table::append`]. A table that was opened and not appended to is left alone.
    ///
    /// # Errors
    ///
    /// A store that fails. The table is whole all the same, and has its rows.
    pub fn maintain(&mut self, plan: &Maintenance) -> Result<Maintained, Error> {
        let interval = self
            .snapshot
            .table_properties()
            .checkpoint_interval
            .map_or(INTERVAL, std::num::NonZero::get);
        if self.unchecked.is_none_or(|commits| commits < interval) {
            return Ok(Maintained::default());
        }
        // A file that cannot be read must not keep the log from being checkpointed.
        let compacted = self.compact(plan);
        let (written, snapshot) = self
            .snapshot
            .checkpoint(self.engine.as_ref(), None)
            .map_err(|error| self.location.failed("write a checkpoint of", &error))?;
        self.snapshot = snapshot;
        self.unchecked = Some(0);
        let checkpoint = matches!(written, CheckpointWriteResult::Written);
        Ok(Maintained { checkpoint, ..compacted? })
    }
}
